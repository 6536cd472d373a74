package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/examples/internal/tasks"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// regionPage is the path of a Region's page for operators.
func regionPage(name string) string { return portal.PathOperator + "/regions/" + name }

// regionsRefused: an account instance, a single-Region key and a Region that accounts must opt in to are refused, each
// with its reason, by the page and by the request that would add the Region.
func regionsRefused(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	v, b := first.view(), k.browser()
	check.Get(k.signedIn(b, first))
	good := v.Metadata()
	put := func(m center.InstanceMetadata) error {
		return v.Update(func(tx *center.Tx) error { return tx.PutInstanceMetadata(m) })
	}
	defer func() { check.Must(put(good)) }()
	single, account := good, good
	single.Encryption.KeyARN = strings.Replace(good.Encryption.KeyARN, k.keyring.ID,
		"01234567-89ab-cdef-0123-456789abcdef", 1)
	account.Kind = center.InstanceAccount
	for _, c := range []struct {
		instance     center.InstanceMetadata
		region, says string
	}{
		{account, other.Name, "This is an account instance."},
		{single, other.Name, "is a single-Region key"},
		{good, "eu-south-1", "must opt in to this Region"},
	} {
		check.Must(put(c.instance))
		p := check.Get(b.Open(first.url + portal.PathAddRegion))
		f := testkit.Form{Action: portal.PathAddRegion, Method: "post"}
		p = check.Get(b.Submit(p, f, url.Values{"region": {c.region}}))
		check.Must(check.Same("the status of the page", 422, p.Status))
		check.Must(person.Says(p, c.says), check.Same("the number of Regions", 1, len(v.Regions())))
	}
	return "an account instance, a single-Region key and eu-south-1, which accounts must opt in to, were refused, " +
		"each with its reason"
}

// adds adds a Region by the operators' pages of the primary.
func (k *walker) adds(s *site) error {
	first, b := k.sites[0], k.browser()
	if _, err := k.signedIn(b, first); err != nil {
		return err
	}
	p, err := b.Open(first.url + portal.PathAddRegion)
	if err == nil {
		met := strings.Count(p.Body, `class="met"`)
		err = check.Same("the prerequisites that are met", 3, met)
	}
	if err == nil {
		p, err = b.Open(first.url + portal.PathAddRegion + "?region=" + s.Name)
	}
	if err != nil {
		return err
	}
	f, ok := p.FormFor(portal.PathAddRegion)
	if !ok {
		return check.Differ("the page", "a question whether to add "+s.Name, p.Text())
	}
	if p, err = b.Submit(p, f, nil); err != nil {
		return err
	}
	return cmp.Or(check.Same("the page after that", regionPage(s.Name), p.URL.Path), person.Says(p, s.acs))
}

// regionRemoved: the page warns of the application that lives in the Region. When its name is typed, the Region ends,
// and no file of its streams is left.
func regionRemoved(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	before := check.Get(other.streams())
	check.Must(check.That("files of streams in "+other.Name, len(before) > 0, "some", "none"))
	b := k.browser()
	check.Get(k.signedIn(b, first))
	path := regionPage(other.Name) + "/remove"
	p := check.Get(b.Open(first.url + path))
	f, ok := p.FormFor(path)
	check.Must(check.Same("whether the page asks", true, ok), person.Says(p, corp.Application(other.Place, "").Name))
	p = check.Get(b.Submit(p, f, url.Values{"confirm": {other.Name}}))
	check.Must(check.Same("the page after that", regionPage(other.Name), p.URL.Path))
	check.Must(k.until(func() error { return check.Same("the state of "+other.Name, stateNone, stateOf(other)) }))
	left := check.Get(other.streams())
	search := check.Get(sealed.NewSearch(corp.Alice, corp.Bob, corp.Engineers))
	check.Get(search.Files(other.dir))
	found, _ := search.Found()
	check.Must(check.Same("files of streams that are left", 0, len(left)),
		check.Same("what the files of "+other.Name+" say", "[]", fmt.Sprint(found)))
	p = check.Get(b.Open(first.url + regionPage(other.Name)))
	check.Must(check.Same("the status of its page", 404, p.Status), k.signsIn(first))
	p = check.Get(k.browser().Open(other.url + "/"))
	check.Must(check.Same("the status of "+other.Name, 503, p.Status))
	return fmt.Sprintf("%s was removed after its name was typed, and the %d files of its streams are gone",
		other.Name, len(before))
}

// regionAddedAgain: the Region is added again by the same pages, and serves as before.
func regionAddedAgain(k *walker) string {
	other := k.newRegion()
	check.Must(k.adds(other))
	check.Must(k.until(func() error { return check.Same("the state of "+other.Name, stateUp, stateOf(other)) }))
	check.Must(k.until(func() error { return bothActive(k.world) }))
	check.Must(k.until(func() error {
		first := check.Get(json.Marshal(k.sites[0].view().Snapshot().Data()))
		again := check.Get(json.Marshal(other.view().Snapshot().Data()))
		return check.Same("the data of "+other.Name, string(first), string(again))
	}))
	check.Must(k.signsIn(other))
	return other.Name + " was added again, has the instance's data, and signed Alice in"
}

// tasksTried: each row of the table of tasks is tried in both Regions, by the portals' pages, SCIM and updates.
func tasksTried(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	allowed, refused := (&tasks.World{
		Sites: [2]tasks.Site{{Name: first.Name, Origin: first.url, View: first.view()},
			{Name: other.Name, Origin: other.url, View: other.view()}},
		IdP: k.idpURL, Browser: k.browser, Until: k.until,
	}).Table()
	return fmt.Sprintf("each of the %d rows of the table of tasks was tried in both Regions: %d uses were allowed, and "+
		"the %d refusals named the Region to go to", len(center.Tasks()), allowed, refused)
}
