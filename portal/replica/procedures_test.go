package replica_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// Each procedure of the page for operators names the tests that rehearse it, and these exist.
func TestProceduresAreRehearsed(t *testing.T) {
	all, declared := map[string]bool{}, regexp.MustCompile(`(?m)^func ((?:Test|Benchmark)\w+)\(`)
	for _, dir := range []string{".", "..", "../../acs", "../../examples/capacity"} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, dir)
		for _, name := range files {
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, m := range declared.FindAllStringSubmatch(string(b), -1) {
				all[m[1]] = true
			}
		}
	}
	named := regexp.MustCompile("`((?:Test|Benchmark)[A-Z]\\w+)`")
	for _, page := range []string{"PROCEDURES.md", "SIZING.md"} {
		b, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range named.FindAllStringSubmatch(string(b), -1) {
			assert.True(t, all[m[1]], "%s names %s", page, m[1])
		}
		for i, section := range strings.Split(string(b), "\n# ")[1:] {
			title, _, _ := strings.Cut(section, "\n")
			rehearsed := page == "SIZING.md" || named.MatchString(section)
			assert.True(t, rehearsed, "%s, section %d, %q: no rehearsal", page, i, title)
		}
	}
}

// The primary moves to another machine with its directory. The others follow it at its new address.
func TestThePrimaryIsMoved(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	us, eu := open(t, configOf(virginia, w.usDir)), open(t, configOf(frankfurt, w.euDir))
	mesh(t, us, eu)
	was := us.Addr()
	us.Close()
	moved := t.TempDir()
	require.NoError(t, os.CopyFS(moved, os.DirFS(w.usDir)))
	c := afterStarts(t, configOf(virginia, moved), eu)
	us = open(t, c)
	require.NotEqual(t, was, us.Addr())
	w.sameAgain(t, us, eu)
}

// The primary's disk is lost, and there is no backup. It is rebuilt from another Region's copies, without Seed.
func TestThePrimaryIsRebuiltFromAnotherRegion(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	eu := open(t, configOf(frankfurt, w.euDir))
	c := configOf(virginia, t.TempDir())
	c.Seed = center.Data{}
	w.sameAgain(t, recovered(t, c, eu), eu)
}
