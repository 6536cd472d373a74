package fronted

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startProxy starts nginx or Caddy on loopback, without TLS, with the page's configuration for the two applications.
func (w *World) startProxy(t testing.TB, proxy, program, dir string, port int, wiki, reports string) {
	t.Helper()
	config := filepath.Join(dir, proxy+".conf")
	at := ":" + strconv.Itoa(port)
	var text string
	var cmd *exec.Cmd
	if proxy == "nginx" {
		block := regexp.MustCompile(`(?m)^\s*ssl_.*\n`).ReplaceAllString(Block(t, "nginx"), "")
		server := func(name, app string) string {
			return replaced(t, block, "listen 443 ssl;", "listen 127.0.0.1"+at+";",
				"server_name wiki.example;", "server_name "+name+".localhost;",
				"wiki.example", name+".localhost"+at, "127.0.0.1:8080", app, "127.0.0.1:8730", w.Gate)
		}
		text = "pid nginx.pid;\nerror_log stderr;\ndaemon off;\nmaster_process off;\nevents {}\nhttp {\naccess_log off;\n"
		for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			text += kind + "_temp_path " + filepath.Join(dir, kind) + ";\n"
		}
		text += server("wiki", wiki) + server("reports", reports) +
			"server { listen 127.0.0.1" + at + " default_server; return 444; }\n}\n"
		cmd = exec.Command(program, "-p", dir, "-c", config)
	} else {
		text = "{\n\tadmin off\n\tauto_https off\n}\n" + replaced(t, Block(t, "caddy"),
			"\nwiki.example {", "\nhttp://wiki.localhost"+at+" {", "\nreports.example {", "\nhttp://reports.localhost"+at+" {",
			"127.0.0.1:8080", wiki, "127.0.0.1:8081", reports, "127.0.0.1:8730", w.Gate)
		cmd = exec.Command(program, "run", "--config", config, "--adapter", "caddyfile")
		cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
	}
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	Run(t, cmd)
}

// replaced replaces pairs of texts, each of which must be there, in one pass.
func replaced(t testing.TB, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, text, pairs[i])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Run starts a program, which ends with the test. If the test failed, the program's output is logged.
func Run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	var out bytes.Buffer // read after the program has ended
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		stuck := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		stuck.Stop()
		if t.Failed() {
			t.Logf("%s:\n%s", cmd.Path, out.String())
		}
	})
}
