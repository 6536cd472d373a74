package peers_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// dexVersion is release 2.41.1. dex's tags are not those of a Go module.
const (
	dexVersion = "v0.0.0-20240807174518-43956db7fd75"
	dexModule  = "module host\n\ngo 1.26.0\n\nrequire (\n\tgithub.com/dexidp/dex " + dexVersion + "\n" +
		"\tgithub.com/dexidp/dex/api/v2 v2.2.0\n)\n"
)

// dexProgram builds the host program in a module of its own, as dex requires a
// few hundred others. It is in the user's cache folder.
var dexProgram = sync.OnceValues(func() (program string, err error) {
	source, err := os.ReadFile(filepath.Join("testdata", "dex", "main.go.txt"))
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "meridian-peers", "dex-"+dexVersion)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	build, err := os.MkdirTemp(dir, "build-") // another process may build, too
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(build)
	for name, text := range map[string][]byte{"go.mod": []byte(dexModule), "main.go": source} {
		if err := os.WriteFile(filepath.Join(build, name), text, 0o600); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "go", "build", "-o", "host", ".")
	c.Dir, c.Env = build, append(os.Environ(), "GOFLAGS=-mod=mod -trimpath", "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: "go build: " + string(out), Err: err}
	}
	program = filepath.Join(dir, "host")
	return program, os.Rename(filepath.Join(build, "host"), program)
})

func startDex(t *testing.T, s hostState) *spHost {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "github.com/dexidp/dex@"+dexVersion).CombinedOutput()
	if err != nil {
		testkit.Lacking(t, "peers", "dex can't be downloaded: "+string(out))
	}
	program, err := dexProgram()
	require.NoError(t, err)
	s.run(t, program)
	h := s.host("2.41.1")
	h.ACS = []string{s.base() + "/dex/callback"}
	return h
}
