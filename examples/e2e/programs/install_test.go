package programs_test

import (
	"archive/zip"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

const (
	module  = "github.com/meridian-saml/meridian"
	version = "v0.0.0-20260101000000-0123456789ab"
)

// "go install …@version" installs the programs from a module proxy that has the working tree. The rest comes from
// this machine's module cache, or where that lacks it from the usual proxy.
func TestInstall(t *testing.T) {
	testkit.RequireProgram(t, "git", "git")
	proxy, bin := moduleProxy(t), t.TempDir()
	programs := []string{"demo", "mockidp", "samlcheck", "sp"}
	args := []string{"install"}
	for _, p := range programs {
		args = append(args, module+"/examples/"+p+"@"+version)
	}
	env := strings.Split(strings.TrimSpace(goOutput(t, "env", "GOMODCACHE", "GOPROXY")), "\n")
	require.Len(t, env, 2)
	proxies := []string{fileURL(proxy), fileURL(filepath.Join(env[0], "cache", "download")), env[1]}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = t.TempDir() // outside of any module
	cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOMODCACHE="+t.TempDir(), "GOFLAGS=-trimpath -modcacherw",
		"GOSUMDB=off", "GOWORK=off", "GOPROXY="+strings.Join(proxies, ","))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, p := range programs {
		for flag, want := range map[string]string{"-version": p + " " + version + " go", "-h": "-version"} {
			out, err := exec.CommandContext(t.Context(), filepath.Join(bin, p), flag).CombinedOutput()
			require.NoError(t, err, "%s %s: %s", p, flag, out)
			assert.Contains(t, string(out), want)
		}
	}
}

func fileURL(path string) string { return "file://" + filepath.ToSlash(path) }

// moduleProxy makes a module proxy on disk (go.dev/ref/mod#goproxy-protocol) with one version of this module.
func moduleProxy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	at := filepath.Join(dir, filepath.FromSlash(module), "@v")
	require.NoError(t, os.MkdirAll(at, 0o755))
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"list": version + "\n", version + ".mod": string(mod),
		version + ".info": `{"Version": "` + version + `", "Time": "2026-01-01T00:00:00Z"}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(at, name), []byte(text), 0o644))
	}
	archive, err := os.Create(filepath.Join(at, version+".zip"))
	require.NoError(t, err)
	w := zip.NewWriter(archive)
	for _, name := range treeFiles(t) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and not yet committed
		}
		require.NoError(t, err)
		f, err := w.Create(module + "@" + version + "/" + name)
		require.NoError(t, err)
		_, err = f.Write(text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, archive.Close())
	return dir
}

// treeFiles lists the files of the working tree, new ones included and ignored ones not.
func treeFiles(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		testkit.Lacking(t, "git", "no clone: git ls-files: "+err.Error())
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	slices.Sort(names)
	return slices.Compact(names)
}
