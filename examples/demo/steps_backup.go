package main

import (
	"fmt"
	"os"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica"
)

// primaryRestored: the primary is backed up, a user signs out there, and the primary is lost with its disk. It is
// restored from the backup and from the other Regions: nothing is lost, and the session that ended stays ended.
func primaryRestored(k *walker) string {
	s := k.sites[0]
	b := k.browser()
	p := check.Get(k.signedIn(b, s))
	made := check.Get(query[replica.Backup](k, s, "BackUp"))
	check.Get(b.Submit(p, formFor("the portal's page", p, portal.PathSignOut), nil))
	check.Get(k.agree())
	s.process.kill()
	check.Must(os.RemoveAll(s.dir))
	s.process = check.Get(s.process.restart(k.ctx))
	report := check.Get(k.agree())
	in, err := session{s, b}.signedIn()
	check.Must(err, check.Same("whether the session that ended after the backup opens the portal", false, in))
	all := k.kept.all()
	for _, one := range all {
		in, err := one.signedIn()
		check.Must(err, check.Same("whether a session that "+one.at.Name+" gave opens its portal", true, in))
	}
	return fmt.Sprintf("%s lost its disk and was restored from the backup of %s and the other Regions: %s; all %d "+
		"sessions of users still work, and the one that ended since stays ended", s.Name, made.Region, report, len(all))
}
