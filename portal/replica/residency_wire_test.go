package replica_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A clearSealer binds values to their place and hides nothing, so that a search finds what is stored and sent.
type clearSealer struct{}

func (clearSealer) Seal(_ context.Context, plain, associated []byte) ([]byte, error) {
	sum := sha256.Sum256(associated)
	return append(sum[:], plain...), nil
}

func (clearSealer) Open(_ context.Context, sealed, associated []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, func() []byte { sum := sha256.Sum256(associated); return sum[:] }())
	if !ok {
		return nil, errors.New("sealed for another place")
	}
	return plain, nil
}

// has reports whether data has a text: as it is, in base64, or in base64 of that.
func has(data []byte, text string) bool {
	forms := []string{text}
	for _, once := range inBase64(text) {
		forms = append(append(forms, once), inBase64(once)...)
	}
	return slices.ContainsFunc(forms, func(form string) bool { return bytes.Contains(data, []byte(form)) })
}

// onDisk returns the contents of all files of a directory.
func onDisk(t *testing.T, dir string) (all []byte) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil // servers remove files meanwhile
		}
		require.NoError(t, err)
		b, err := os.ReadFile(path)
		if !errors.Is(err, os.ErrNotExist) {
			require.NoError(t, err)
		}
		all = append(all, b...)
		return nil
	}))
	return all
}

// Rule 72: back-ups and events of a Region stay in it. Every byte between two Regions is recorded while both write
// events, change the instance, sign users in, and are backed up. What only an event or a backup has is on the disk of
// its Region alone, and not on the wire. What is replicated is found on the wires and on both disks by the same search.
func TestRule72BackupsAndEventsStayInTheirRegion(t *testing.T) {
	t.Parallel()
	regions := []string{virginia, frankfurt}
	dirs, nodes, wires := map[string]string{}, map[string]*replica.Node{}, map[string]*recorder{}
	logs := map[string]*audit.Log{}
	for _, region := range regions {
		dirs[region] = t.TempDir()
		c := configOf(region, filepath.Join(dirs[region], "replica"))
		c.InsecurePlaintext, c.Sealer = false, clearSealer{}
		logs[region] = openAudit(t, region, filepath.Join(dirs[region], "events"))
		c.Audit = logs[region]
		nodes[region] = open(t, c)
		wires[region] = recordWire(t, nodes[region].Addr())
	}
	for i, region := range regions {
		other := regions[1-i]
		require.NoError(t, nodes[region].AddPeer(background(t), other, replica.Peer{URL: wires[other].url()}))
	}
	only := map[string][]string{} // what is in events and backups of a Region, and nowhere else
	replicated := []string{"replicated-user-quokka", "replicated-session-quokka"}
	require.NoError(t, nodes[frankfurt].Ready(background(t)))
	for _, region := range regions {
		n, l := nodes[region], logs[region]
		for _, e := range []struct {
			text  string
			write func(audit.Event) error
		}{
			{"access-event-of-" + region, func(e audit.Event) error { return l.Access(background(t), e) }},
			{"change-event-of-" + region, func(e audit.Event) error { return l.Change(background(t), e) }},
			{"refusal-event-of-" + region, func(e audit.Event) error { l.Refused(background(t), e); return nil }},
		} {
			only[region] = append(only[region], e.text)
			require.NoError(t, e.write(audit.Event{Source: audit.SourceSSO, Name: "UserAuthentication",
				Identity: audit.Identity{Type: "IdentityCenterUser", UserName: e.text}}))
		}
		signIn(t, n, "u-1", "replicated-session-quokka-"+region)
		b, err := n.BackUpFile(background(t), filepath.Join(dirs[region], "backup"))
		require.NoError(t, err)
		only[region] = append(only[region], b.ID, `"meridianBackup"`)
	}
	require.NoError(t, nodes[virginia].View().Update(putUser(center.User{ID: replicated[0], UserName: replicated[0]})))
	r, err := replica.Check(background(t), nodes[virginia], nodes[frankfurt])
	require.NoError(t, err, r.String())
	for _, region := range regions { // and after the change, of which each has an event and a backup
		_, err := nodes[region].BackUpFile(background(t), filepath.Join(dirs[region], "backup"))
		require.NoError(t, err)
		f, err := os.Open(filepath.Join(dirs[region], "backup"))
		require.NoError(t, err)
		b, err := replica.ReadBackup(f)
		require.NoError(t, errors.Join(err, f.Close()))
		only[region] = append(slices.DeleteFunc(only[region], func(s string) bool { return len(s) == len(b.ID) }), b.ID)
	}
	for _, region := range regions {
		nodes[region].Close()
		require.NoError(t, logs[region].Close())
	}

	wire := append(wires[virginia].bytes(), wires[frankfurt].bytes()...)
	for _, text := range replicated {
		assert.True(t, has(wire, text), "%s on the wire", text)
	}
	for i, region := range regions {
		here, there := onDisk(t, dirs[region]), onDisk(t, dirs[regions[1-i]])
		for _, text := range replicated {
			assert.True(t, has(here, text), "%s in %s", text, region)
		}
		for _, text := range only[region] {
			assert.True(t, has(here, text), "%s in %s", text, region)
			assert.False(t, has(wire, text), "%s of %s on the wire", text, region)
			if text != `"meridianBackup"` { // the other Region has a backup of its own
				assert.False(t, has(there, text), "%s of %s in the other Region", text, region)
			}
		}
	}
}
