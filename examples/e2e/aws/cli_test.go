package aws_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The AWS CLIs of two suites of Debian. Vanity start URLs need the newer one.
var suites = []string{"trixie", "forky"}

// cli is an unpacked AWS CLI with a home directory of its own.
type cli struct {
	w    *world
	tree string
	home string
}

// newCLI returns a CLI with the profiles of the announcement: one for each Region. It runs in its tree, whose hosts
// file leads to the world, so that it needs no endpoint override.
func (w *world) newCLI(suite string) *cli {
	w.t.Helper()
	if os.Geteuid() != 0 {
		testkit.Lacking(w.t, "awscli", "the AWS CLI gets its own hosts file, which takes root")
	}
	cache, err := os.UserCacheDir()
	require.NoError(w.t, err)
	tree := filepath.Join(cache, "meridian-peers", "awscli-"+suite)
	testkit.RequireFile(w.t, "awscli", filepath.Join(tree, "usr", "bin", "aws"))
	testkit.RequireSuccess(w.t, "awscli", "chroot", "/", "true")
	home, err := os.MkdirTemp(filepath.Join(tree, "tmp"), "home-")
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = os.RemoveAll(home) })
	c := &cli{w: w, tree: tree, home: home}
	var hosts, config strings.Builder
	for i, p := range w.places {
		fmt.Fprintf(&hosts, "%s %s\n", p.ip, strings.Join(p.hosts, " "))
		fmt.Fprintf(&config, "[profile %s]\nsso_session = %s\nsso_account_id = 111122223333\nsso_role_name = ReadOnly\n"+
			"region = %s\n\n[sso-session %[2]s]\nsso_start_url = %[4]s\nsso_region = %[3]s\n"+
			"sso_registration_scopes = sso:account:access\n\n", profiles[i], sessionNames[i], p.Name, p.portal)
	}
	fmt.Fprintf(&hosts, "%s %s\n", startIP, startHost)
	// Every test writes the same.
	c.write(hosts.String(), tree, "etc", "hosts")
	c.write("", tree, "etc", "resolv.conf")
	c.write(config.String(), home, ".aws", "config")
	c.write(string(w.ca.pem), home, "ca.pem")
	return c
}

// The names of the announcement.
var (
	profiles     = []string{"ReadOnly", "ReadOnly-additional"}
	sessionNames = []string{"primary", "additional"}
)

func (c *cli) write(content string, path ...string) {
	c.w.t.Helper()
	name := filepath.Join(path...)
	require.NoError(c.w.t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(c.w.t, os.WriteFile(name, []byte(content), 0o600))
}

func (c *cli) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "chroot", append([]string{c.tree, "/usr/bin/aws"}, args...)...)
	home := "/tmp/" + filepath.Base(c.home)
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "AWS_CA_BUNDLE=" + home + "/ca.pem", "AWS_PAGER=", "LC_ALL=C.UTF-8",
		"AWS_EC2_METADATA_DISABLED=true", "PYTHONUNBUFFERED=1",
	}, env...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// result is what a command did.
type result struct {
	out, err string
	code     int
}

func (r result) String() string { return fmt.Sprintf("exit %d\n%s\n%s", r.code, r.out, r.err) }

const commandLimit = 3 * time.Minute // far more than a command needs

func (c *cli) run(args ...string) result { c.w.t.Helper(); return c.runWith(nil, args...) }

func (c *cli) runWith(env []string, args ...string) result {
	c.w.t.Helper()
	ctx, cancel := context.WithTimeout(c.w.t.Context(), commandLimit)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := c.command(ctx, env, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	code := exitCode(c.w.t, cmd.Run())
	return result{out.String(), errs.String(), code}
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if err == nil {
		return 0
	}
	require.ErrorAs(t, err, &exit)
	return exit.ExitCode()
}

// ok runs a command that must succeed.
func (c *cli) ok(args ...string) result {
	c.w.t.Helper()
	r := c.run(args...)
	require.Zero(c.w.t, r.code, "aws %s: %s\n%s", strings.Join(args, " "), r, c.w.logged())
	return r
}

// address is what the CLI asks the user to open.
var address = regexp.MustCompile(`https://\S+`)

// login runs "aws sso login" and has a browser answer at the address that the CLI prints.
func (c *cli) login(b *testkit.Browser, profile string, more ...string) result {
	c.w.t.Helper()
	ctx, cancel := context.WithTimeout(c.w.t.Context(), commandLimit)
	defer cancel()
	cmd := c.command(ctx, nil, append([]string{"sso", "login", "--no-browser", "--profile", profile}, more...)...)
	stdout, err := cmd.StdoutPipe()
	require.NoError(c.w.t, err)
	var errs, out bytes.Buffer
	cmd.Stderr = &errs
	require.NoError(c.w.t, cmd.Start())
	asked := false
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		out.WriteString(lines.Text() + "\n")
		if at := c.addressIn(lines.Text(), more); at != "" && !asked {
			asked = true
			c.w.allow(b, at)
		}
	}
	_, _ = io.Copy(io.Discard, stdout)
	code := exitCode(c.w.t, cmd.Wait())
	r := result{out.String(), errs.String(), code}
	require.True(c.w.t, asked, "%s", r)
	require.Zero(c.w.t, r.code, "%s\n%s", r, c.w.logged())
	return r
}

// addressIn returns the address in a line. For a device code it is the one that has the code.
func (c *cli) addressIn(line string, more []string) string {
	at := address.FindString(line)
	device := len(more) > 0 && more[0] == "--use-device-code"
	if device && !strings.Contains(at, "user_code=") {
		return ""
	}
	return at
}

// identity is what "aws sts get-caller-identity" prints.
type identity struct{ Account, UserId, Arn string }

func (c *cli) identity(profile string) identity {
	c.w.t.Helper()
	var out identity
	r := c.ok("sts", "get-caller-identity", "--profile", profile, "--output", "json")
	require.NoError(c.w.t, json.Unmarshal([]byte(r.out), &out), r.out)
	return out
}

// forgetCredentials deletes the cached role credentials, which the CLI uses until shortly before they expire.
func (c *cli) forgetCredentials() {
	c.w.t.Helper()
	require.NoError(c.w.t, os.RemoveAll(filepath.Join(c.home, ".aws", "cli", "cache")))
}

// expireTokens makes the CLI renew its cached access tokens.
func (c *cli) expireTokens() {
	c.w.t.Helper()
	names, err := filepath.Glob(filepath.Join(c.home, ".aws", "sso", "cache", "*.json"))
	require.NoError(c.w.t, err)
	changed := 0
	for _, name := range names {
		raw, err := os.ReadFile(name)
		require.NoError(c.w.t, err)
		var token map[string]any
		require.NoError(c.w.t, json.Unmarshal(raw, &token))
		if token["accessToken"] == nil {
			continue // a registration
		}
		token["expiresAt"] = time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
		raw, err = json.Marshal(token)
		require.NoError(c.w.t, err)
		require.NoError(c.w.t, os.WriteFile(name, raw, 0o600))
		changed++
	}
	require.NotZero(c.w.t, changed, "no cached token")
}
