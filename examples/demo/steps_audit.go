package main

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// audited: each Region has the events of what it handled. A change is one event with one ID in both, and a sign-in is
// one of its Region only.
func audited(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	account := center.Account{ID: "999900001111", Name: "Audited"}
	check.Must(update(first, func(tx *center.Tx) error { return tx.PutAccount(account) }))
	check.Must(update(first, func(tx *center.Tx) error { return tx.RemoveAccount(account.ID) }))
	pages := map[*site]*testkit.Browser{first: k.browser(), other: k.browser()}
	ids := map[*site]string{}
	for s, b := range pages {
		check.Get(k.signedIn(b, s))
		check.Must(k.until(func() (err error) {
			ids[s], err = eventID(b, s, account.ID, "DeleteAccount")
			return err
		}))
	}
	check.Must(check.Same("the ID of the change in "+other.Name, ids[first], ids[other]))
	signedIn := check.Get(eventID(pages[other], other, corp.Alice, "UserAuthentication"))
	_, err := eventID(pages[first], first, signedIn, "UserAuthentication")
	var missing *check.Difference
	check.Must(check.That("the sign-in in "+other.Name, errors.As(err, &missing), "no event of "+first.Name,
		fmt.Sprint(err)))
	return "a change in " + first.Name + " was one event with the same ID there and in " + other.Name +
		", and Alice's sign-in was one of " + other.Name + " only; its page for operators found both"
}

var shownID = regexp.MustCompile(`"eventID": "([0-9a-f-]{36})"`)

// eventID searches a Region's events on the page for operators, and returns the ID of the newest with a name.
func eventID(b *testkit.Browser, s *site, text, name string) (string, error) {
	p, err := b.Open(s.url + portal.PathAudit + "?" + url.Values{"q": {text}}.Encode())
	if err == nil {
		err = check.Same("the page with the events of "+s.Name, 200, p.Status)
	}
	if err != nil {
		return "", err
	}
	shown := regexp.MustCompile(`(?s)<pre[^>]*>([^<]*)</pre>`).FindAllStringSubmatch(p.Body, -1)
	for _, one := range shown {
		event := html.UnescapeString(one[1])
		if regexp.MustCompile(`"eventName": "` + name + `"`).MatchString(event) {
			if id := shownID.FindStringSubmatch(event); id != nil {
				return id[1], nil
			}
		}
	}
	return "", check.Differ("the events of "+s.Name+" with "+text, name, fmt.Sprintf("%d others", len(shown)))
}
