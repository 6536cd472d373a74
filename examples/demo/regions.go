package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// instance describes the instance: an organization's, with an external identity provider and a multi-Region key.
func (w *world) instance() center.InstanceMetadata {
	return center.InstanceMetadata{OwnerAccountID: corp.Management, Encryption: center.Encryption{
		KeyType: center.KeyCustomerManaged,
		KeyARN:  "arn:aws:kms:" + w.sites[0].Name + ":" + corp.Management + ":key/" + w.keyring.ID,
	}}
}

// regionAdmin returns what the operators' pages of the primary need to add and remove Regions.
func (w *world) regionAdmin(v *center.View) *portal.RegionAdmin {
	return &portal.RegionAdmin{
		Control:   &center.Control{View: v, Admission: center.Admission{Key: w.usableKey}},
		Account:   corp.Management,
		Addresses: w.addresses,
		Changed:   w.regionChanged,
	}
}

// usableKey returns nil if the Region's copy of the key may be used.
func (w *world) usableKey(_ context.Context, _, name string) error {
	ring := w.keyring.Rings[name]
	if ring == nil {
		return errors.New("no replica key")
	}
	return ring.Use(w.keyring.ID, sealed.Principal).Usable()
}

func (w *world) addresses(name string) (center.Region, error) {
	s, err := w.site(name)
	if err != nil {
		return center.Region{}, err
	}
	return region.Entry(s.Place, s.url, center.RegionAdding), nil
}

// regionChanged starts a Region that is being added, and ends one that is being removed when its data is erased.
func (w *world) regionChanged(_ context.Context, r center.Region) error {
	s, err := w.site(r.Name)
	if err != nil {
		return err
	}
	if r.Status == center.RegionRemoving {
		w.tasks.Go(func() { w.endWhenErased(s) })
		return nil
	}
	w.acts.Lock()
	defer w.acts.Unlock()
	if !slices.ContainsFunc(w.sp.ACS(), func(e saml.Endpoint) bool { return e.URL == s.acs }) {
		if err := w.sp.AppendACS(saml.Endpoint{URL: s.acs, Region: s.Name}); err != nil {
			return err
		}
		if err := w.sp.ReplaceLogout(logoutURLs([]*site{w.sites[0], s})); err != nil {
			return err
		}
	}
	return w.open(s)
}

// endWhenErased stops a Region that was removed, when its data is erased.
func (w *world) endWhenErased(s *site) {
	for w.ctx.Err() == nil {
		select {
		case <-w.ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
		v := w.sites[0].view()
		if v == nil {
			continue // the primary is stopped
		}
		_, listed := v.Snapshot().Region(s.Name)
		if left, err := s.streams(); listed || err != nil || len(left) > 0 {
			continue
		}
		w.acts.Lock()
		defer w.acts.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.runs != nil {
			s.runs.Close()
		}
		s.runs, s.addr, s.removed = nil, "", true
		return
	}
}

// streams returns the files of the Region's directory that are of streams: users, configuration, sessions.
func (s *site) streams() (out []string, err error) {
	err = filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		for _, kind := range []string{"config_", "sessions_", "revoked_"} {
			if !d.IsDir() && strings.Contains(path, string(filepath.Separator)+kind) {
				out = append(out, path)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the files of %s: %w", s.Name, err)
	}
	return out, nil
}
