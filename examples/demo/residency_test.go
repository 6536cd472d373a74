package main

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/residency"
)

// Rule 72: every file of the demo is in the report of exactly one Region, with that Region's name: data, keys, events.
func TestRule72EveryFileIsOfOneRegion(t *testing.T) {
	w := newTestWorld(t, extended)
	k := newWalker(background(t), w)
	for _, s := range w.sites[:2] {
		require.NoError(t, k.signsIn(s))
	}
	claims := func(s *site, p residency.Place, path string) bool {
		rest, inside := strings.CutPrefix(path, s.dir+string(filepath.Separator))
		switch name, stream := strings.CutPrefix(p.Where, "stream "); {
		case stream:
			return inside && strings.Contains(filepath.ToSlash(rest), "/streams/"+name+"/")
		case filepath.IsAbs(p.Where):
			return path == p.Where || strings.HasPrefix(path, p.Where+string(filepath.Separator))
		default:
			return inside && rest == p.Where
		}
	}
	kinds := map[residency.Kind]int{}
	require.NoError(t, filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		switch name := filepath.Base(path); {
		case err != nil, d.IsDir(), name == "meridian.lock", strings.Contains(name, ".new-"), strings.Contains(path, "wire-"):
			return nil
		case name == "authority.pem": // a public certificate, for command lines
			return nil
		}
		var of []string
		for _, s := range w.sites[:2] {
			report, err := s.running().Report(background(t))
			require.NoError(t, err)
			claimed := false
			for _, p := range report {
				assert.Equal(t, s.Name, p.Region)
				if claims(s, p, path) {
					kinds[p.Kind]++
					claimed = true
				}
			}
			if claimed {
				of = append(of, s.Name)
			}
		}
		assert.Len(t, of, 1, "Regions with %s", strings.TrimPrefix(path, w.dir))
		return nil
	}))
	for _, kind := range []residency.Kind{residency.Users, residency.Sessions, residency.Keys, residency.Audit} {
		assert.Positive(t, kinds[kind], kind)
	}
}
