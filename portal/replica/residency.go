package replica

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/meridian-saml/meridian/portal/residency"
)

// Residency returns where the Region keeps what is replicated: in its own streams, in its copies of other Regions', and
// beside them. Each place names a stream of the Region's server, or a file in Config.Dir. Streams of that server that
// the Node didn't make are not among them.
func (n *Node) Residency(ctx context.Context) (out []residency.Place, err error) {
	names, err := n.streamNames(ctx, ">")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		out = append(out, n.placesIn(name)...)
	}
	if n.cfg.Dir == "" {
		return out, nil
	}
	for _, name := range storedNames {
		if _, err := os.Stat(dirStore{n.cfg.Dir}.path(name)); errors.Is(err, os.ErrNotExist) {
			continue
		}
		out = append(out, residency.Place{Kind: residency.Positions, Region: n.cfg.Region, Where: identityFile(name),
			Kept: "until the Region is removed"})
	}
	return out, nil
}

// placesIn returns what a stream has.
func (n *Node) placesIn(stream string) (out []residency.Place) {
	add := func(kind residency.Kind, from, kept string) {
		p := residency.Place{Kind: kind, Region: n.cfg.Region, Where: "stream " + stream, Key: n.keyName(), Kept: kept}
		if from != n.cfg.Region {
			p.From = from
		}
		out = append(out, p)
	}
	removed := fmt.Sprintf("until it is removed; then %v in files", n.cfg.EraseAfter)
	session := fmt.Sprintf("until it expires, at most %v", n.cfg.MaxSession+2*n.cfg.Skew)
	notice, _ := n.removalNoticeStream()
	switch owner := ""; {
	case cutRegion(stream, kindConfig, &owner):
		add(residency.Applications, owner, removed)
		if owner == n.cfg.Primary {
			for _, k := range []residency.Kind{residency.Users, residency.Groups, residency.Assignments,
				residency.Configuration} {
				add(k, owner, removed)
			}
		}
	case cutRegion(stream, kindSessions, &owner):
		add(residency.Sessions, owner, session)
		add(residency.Codes, owner, "until it is used or expires, minutes")
		add(residency.Shortcuts, owner, "400 days after the last change, or until the user is removed")
	case cutRegion(stream, kindRevoked, &owner):
		add(residency.Revocations, owner, "until what it ends has expired; the count of a user's revocations for good")
		add(residency.Logouts, owner, "until what it ends has expired")
	case stream == notice, stream == (streamStore{n}).stream():
		out = append(out, residency.Place{Kind: residency.Positions, Region: n.cfg.Region, Where: "stream " + stream,
			Kept: "until the Region is removed or added again"})
	case stream == n.stageStream():
		for _, k := range []residency.Kind{residency.Users, residency.Groups, residency.Assignments,
			residency.Configuration, residency.Applications, residency.Sessions, residency.Shortcuts,
			residency.Revocations, residency.Logouts} {
			add(k, n.cfg.Region, "until the recovery is complete")
		}
	}
	return out
}

// cutRegion reports whether a stream is of a kind, and of which Region.
func cutRegion(stream string, k streamKind, region *string) (ok bool) {
	*region, ok = strings.CutPrefix(stream, k.stream(""))
	return ok
}

// keyName names the key that everything is sealed under. Empty: nothing is sealed.
func (n *Node) keyName() string {
	if n.cfg.Sealer == nil {
		return ""
	}
	if inst := n.instance.Load(); inst != nil {
		if arn := inst.Snapshot().Metadata().Encryption.KeyARN; arn != "" {
			return arn + ", its copy in " + n.cfg.Region
		}
	}
	return "key of instance " + cmp.Or(n.cfg.instance(), "?") + ", its copy in " + n.cfg.Region
}
