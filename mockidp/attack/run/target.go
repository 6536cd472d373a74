package run

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Target describes the service provider to attack over HTTP. It must trust IdP,
// by its metadata.
type Target struct {
	// Login is the address where a browser begins to sign in. The service
	// provider answers with an AuthnRequest, or redirects to one. Required,
	// unless IdPInitiated.
	Login string
	// ACS is the assertion consumer service that responses are posted to. Required.
	ACS string
	// OtherACS is another ACS URL of the same service provider, of another Region
	// for example. Empty: the attacks that need it are not run.
	OtherACS string
	// EntityID is the service provider's. Required.
	EntityID string
	// Probe is a page that shows the user who is signed in. Required.
	Probe string
	// Identity finds the user in the body of Probe. Its first group is the name, or
	// the whole match where it has no group. A page that it does not match shows no
	// user. Required.
	Identity *regexp.Regexp
	// IdP is the identity provider that the service provider trusts. Required.
	IdP *IdP
	// OtherIdP is another identity provider that it trusts. Nil: the attacks of one on the
	// other are not run.
	OtherIdP *IdP
	// OtherLogin is the address where a browser begins to sign in at OtherIdP. Empty: the
	// service provider must accept its unsolicited responses.
	OtherLogin string
	// Metadata serves the metadata that the service provider reads from a URL. Nil: the
	// attacks by metadata are not run.
	Metadata *MetadataServer
	// MetadataWait bounds how long the service provider takes until it reads its metadata
	// again. Zero: two minutes. MetadataSettle is how long it then takes until the
	// metadata has an effect. Zero: two seconds.
	MetadataWait, MetadataSettle time.Duration
	// Discovery is the address to which a discovery service sends the browser back with
	// its choice (DiscoveryResponse). Empty: the attack that needs it is not run.
	Discovery string

	// Logout has the service provider's single logout URLs by binding. A binding without one: the attacks by it are not
	// run.
	Logout map[attack.LogoutBinding]string

	// BackChannel answers the service provider's own calls, at the address IdP.BackChannel. Nil: the attacks by artifacts
	// and by answers to attribute queries are not run.
	BackChannel *BackChannel
	// ArtifactACS is the assertion consumer service for HTTP-Artifact. Empty: the attacks by artifacts are not run.
	ArtifactACS string
	// AttributeProbe is a page for which the service provider asks the identity provider for the attributes of the user
	// who is signed in, and that shows their values. Empty: the attacks by answers to attribute queries are not run.
	AttributeProbe string

	// IdPInitiated makes every response unsolicited, for service providers that
	// make no requests.
	IdPInitiated bool
	// RelayState is sent with unsolicited responses. Empty: none is.
	RelayState string

	// Subject is the user who signs in. Forged is the user that the attacker
	// impersonates. Empty: alice@example.com and admin@example.com.
	Subject, Forged string
	// NameIDFormat, Attributes and IdentityAttribute are those of [attack.Params].
	NameIDFormat      string
	Attributes        []attack.Attribute
	IdentityAttribute string
	// EncryptTo is the key in the service provider's metadata. Nil: the attacks
	// that need it are not run.
	EncryptTo *rsa.PublicKey

	// Only and Skip choose attacks by ID: "A" for a family, "A01" for a row, and
	// "A01/response" for one document. No Only: everything.
	Only, Skip []string
	// Sign lists what the identity provider may sign. Empty: assertion, response
	// and both, each of them where the service provider accepts it.
	Sign []attack.Sign

	// AllowHosts are names or addresses that the tool may connect to, beside
	// loopback. Empty: it connects to this machine only, regardless of names
	// and redirects.
	AllowHosts []string
	// RootCAs are for service providers on https. Nil: the system's.
	RootCAs *x509.CertPool
	// Timeout bounds each request. Zero: ten seconds.
	Timeout time.Duration
	// Recovery bounds how long the run waits for a service provider that has
	// stopped answering, before it ends: see [Report.StoppedAt]. Zero: two minutes,
	// as some messages keep one busy for that long.
	Recovery time.Duration
	// Concurrency is how many attacks run at the same time. Zero: one, so that
	// durations are comparable and a stopped service provider is noticed at
	// once.
	Concurrency int
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Progress is called with every Result when it is known, never
	// concurrently. Nil: results are in the report only. Chosen says how
	// many there will be.
	Progress func(Result)
}

// Run attacks a service provider and reports the result of every attack. The
// error is an [*attack.Error] about the Target. The service provider's
// behaviour is a Result, never an error.
func Run(ctx context.Context, t Target) (*Report, error) {
	r, err := newRunner(t)
	if err != nil {
		return nil, err
	}
	return r.run(ctx), nil
}

// newRunner checks a Target and sets its defaults.
func newRunner(t Target) (*runner, error) {
	switch {
	case t.EntityID == "":
		return nil, badTarget("missing EntityID")
	case t.Identity == nil:
		return nil, badTarget("missing Identity")
	case t.ACS == "":
		return nil, badTarget("missing ACS")
	case t.Probe == "":
		return nil, badTarget("missing Probe")
	case t.Login == "" && !t.IdPInitiated:
		return nil, badTarget("missing Login")
	}
	r, err := t.runner()
	if err == nil {
		r.attackers, err = newKeys()
	}
	return r, err
}

func badTarget(format string, args ...any) error {
	return &attack.Error{Rule: "target", Detail: fmt.Sprintf(format, args...)}
}

// runner checks the fields of a Target that are set.
func (t Target) runner() (*runner, error) {
	if t.IdP == nil || t.IdP.RSA == nil {
		return nil, badTarget("missing IdP")
	}
	if t.OtherIdP != nil && (t.OtherIdP.RSA == nil || t.OtherIdP.RSA == t.IdP.RSA) {
		return nil, badTarget("OtherIdP needs an RSA key of its own")
	}
	if t.BackChannel != nil && t.IdP.BackChannel == "" {
		return nil, badTarget("BackChannel needs an address in the metadata, IdP.BackChannel")
	}
	list := List()
	for _, word := range slices.Concat(t.Only, t.Skip) {
		if !slices.ContainsFunc(list, func(e Entry) bool { return chooses(word, e.ID) }) {
			return nil, badTarget("no attack in the catalogue has the ID %.50q", word)
		}
	}
	t.Subject, t.Forged = cmp.Or(t.Subject, "alice@example.com"), cmp.Or(t.Forged, "admin@example.com")
	t.Timeout, t.Recovery = cmp.Or(t.Timeout, 10*time.Second), cmp.Or(t.Recovery, 2*time.Minute)
	t.setMetadataTimes()
	if len(t.Sign) == 0 {
		t.Sign = attack.Needs{}.Modes()
	}
	if t.Now == nil {
		t.Now = time.Now
	}
	if t.Progress == nil {
		t.Progress = func(Result) {}
	}
	r := &runner{
		Target: t, sites: make(map[string]bool), twins: make(map[string]*twin), transport: guardedTransport(t),
		cases: attack.Cases(), way: way{key: attack.RSA, sign: -1},
	}
	if t.IdPInitiated {
		t.Login = ""
	}
	for binding, text := range t.Logout {
		if text != "" && !r.addSite(text) {
			return nil, badTarget("Logout by %s is not an http or https URL", binding)
		}
	}
	for name, text := range map[string]string{
		"Login": t.Login, "ACS": t.ACS, "OtherACS": t.OtherACS, "Probe": t.Probe,
		"OtherLogin": t.OtherLogin, "Discovery": t.Discovery, "ArtifactACS": t.ArtifactACS,
		"AttributeProbe": t.AttributeProbe,
	} {
		if text != "" && !r.addSite(text) {
			return nil, badTarget("%s is not an http or https URL", name) // without the URL: it may hold a password
		}
	}
	r.unsigned = r.cases[slices.IndexFunc(r.cases, func(c attack.Case) bool { return c.ID == "B01" })]
	return r, nil
}

// addSite adds the host of a URL to those of the service provider. It reports whether it is a URL of http or https.
func (r *runner) addSite(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !isHTTP(u) {
		return false
	}
	r.sites[strings.ToLower(u.Host)] = true
	return true
}

// chooses reports whether a word of Only or Skip means this ID: the ID itself, its
// row or its family.
func chooses(word, id string) bool {
	row, _, _ := strings.Cut(id, "/")
	return word == id || word == row || word == id[:1]
}

// Chosen lists the attacks that Only and Skip choose.
func (t Target) Chosen() []Entry {
	return slices.DeleteFunc(List(), func(e Entry) bool { return !t.chosen(e.ID) })
}

// chosen reports whether an attack is to be run.
func (t Target) chosen(id string) bool {
	among := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return chooses(w, id) })
	}
	return (len(t.Only) == 0 || among(t.Only)) && !among(t.Skip)
}
