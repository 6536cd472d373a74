package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/portal/residency"
)

// With -processes, each Region is backed up into a file beside its directory, when it starts and then once a minute. If
// the directory is missing when the process starts, the Region is restored from that file and from the other Regions.

const backupEvery = time.Minute

// backup is the file of the Region's backup.
func (s *site) backup() string { return filepath.Join(filepath.Dir(s.dir), "backup-"+s.Name) }

// restores makes the start of a Region without a directory restore its backup, if there is one.
func (s *site) restores(others []string) (func(*replica.Config), error) {
	if _, err := os.Stat(s.dir); !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	file, err := os.ReadFile(s.backup())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // it starts for the first time
	}
	return func(c *replica.Config) {
		c.Backup, c.Recover, c.Seed = bytes.NewReader(file), others, center.Data{}
	}, err
}

// backUp backs the Region up until the process ends.
func (c *child) backUp(s *site) {
	for runs := s.running(); ; { // it runs as long as the process
		if _, err := runs.BackUpFile(c.ctx, s.backup()); err != nil && c.ctx.Err() == nil {
			c.world.Load().logger.Error("demo: the Region could not be backed up", "region", s.Name, "error", err)
		}
		select {
		case <-c.ctx.Done():
			return
		case <-time.After(backupEvery):
		}
	}
}

// BackUp backs the Region up now.
func (c *child) BackUp(_ bool, out *replica.Backup) (err error) {
	s := c.site.Load()
	*out, err = s.running().BackUpFile(c.ctx, s.backup())
	return err
}

// places are what the demo keeps in a Region, besides its data.
func (w *world) places(s *site) []residency.Place {
	out := []residency.Place{{Kind: residency.Keys, Region: s.Name, Where: w.keyring.File(s.Name),
		Key: "the operator's key", Kept: "until the demo ends"}}
	if s.listen != 0 {
		out = append(out, residency.Place{Kind: residency.Backups, Region: s.Name, Where: s.backup(),
			Key: "key " + w.keyring.ID + ", its copy in " + s.Name, Kept: "until the next one, a minute"})
	}
	return out
}
