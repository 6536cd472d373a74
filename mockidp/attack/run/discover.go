package run

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Discovery is a field of a [Target] that [Discover] has set.
type Discovery struct {
	Field string // "EntityID", for example; "Metadata" is the address of the service provider's metadata
	Value string
	From  string // where it was found
}

// Discover sets the fields of a Target that are empty and that the service provider itself can tell: EntityID and ACS
// by its AuthnRequest; those, OtherACS, ArtifactACS, EncryptTo and Discovery by its metadata at the usual paths; and
// Probe, Identity and IdentityAttribute by a user who signs in with a good response. Login and IdP are required. If
// IdP.SSOURL is empty, it is set to the address that the AuthnRequest is for.
//
// The error is an [*attack.Error] that says what to give by hand. The fields that were found before it are returned,
// too.
func Discover(ctx context.Context, t Target) (Target, []Discovery, error) {
	sso := t.IdP != nil && t.IdP.SSOURL == ""
	r, err := t.runner()
	if err != nil {
		return t, nil, err
	}
	defer r.transport.CloseIdleConnections()
	d := &discoverer{runner: r, ctx: ctx}
	if !r.IdPInitiated {
		err = d.request(sso)
	}
	if err == nil {
		err = d.metadata()
	}
	if err == nil {
		err = d.IdP.complete(d.Now())
	}
	if err == nil && (r.Probe == "" || r.Identity == nil) {
		err = d.identity()
	}
	out := r.Target
	out.Progress, out.Now = t.Progress, t.Now
	if err != nil {
		return out, d.found, &attack.Error{Rule: "target", Detail: reason(err)}
	}
	return out, d.found, nil
}

type discoverer struct {
	*runner
	ctx   context.Context
	found []Discovery
}

func (d *discoverer) add(field, value, from string) {
	d.found = append(d.found, Discovery{field, value, from})
}

// set sets a field that is empty.
func (d *discoverer) set(field string, to *string, value, from string) {
	if *to == "" && value != "" {
		*to = value
		d.add(field, value, from)
	}
}

// request reads the service provider's AuthnRequest.
func (d *discoverer) request(sso bool) error {
	request, err := d.begins()
	if err != nil {
		return err
	}
	const from = "the AuthnRequest"
	if sso {
		d.IdP.SSOURL = request.to
		d.add("IdP.SSOURL", request.to, from)
	}
	d.set("EntityID", &d.EntityID, request.issuer, from)
	d.set("ACS", &d.ACS, request.acs, from)
	d.addSite(d.ACS)
	return nil
}

// begins begins a sign-in at Login, or else at a link there or a usual path, which then is Login.
func (d *discoverer) begins() (*authnRequest, error) {
	given, err := d.newBrowser().get(d.ctx, d.Login)
	if err != nil {
		return nil, fmt.Errorf("the sign-in page can't be read: %w", err)
	}
	request, why := d.requestIn(given)
	if why == nil || given.leaving != nil {
		return request, why
	}
	for _, at := range signInLinks(given) {
		p, err := d.newBrowser().get(d.ctx, at)
		if err != nil {
			continue
		}
		if request, err := d.requestIn(p); err == nil {
			d.Login = at
			d.add("Login", at, given.url.Redacted())
			return request, nil
		}
	}
	return nil, fmt.Errorf("no sign-in begins at %s: %w", given.url.Redacted(), why)
}

var (
	linkTag    = regexp.MustCompile(`(?is)<a\b([^>]*)>(.{0,200}?)</a>`)
	signInWord = regexp.MustCompile(`(?i)log[ -]?in|sign[ -]?in|sso|saml`)
)

// signInLinks lists the links of a page by which users sign in, and the usual paths, all at the page's own host.
func signInLinks(p page) []string {
	var out []string
	add := func(link string) {
		u, err := p.url.Parse(link)
		if err == nil && isHTTP(u) && u.Host == p.url.Host && !slices.Contains(out, u.String()) && len(out) < 16 {
			out = append(out, u.String())
		}
	}
	for _, m := range linkTag.FindAllStringSubmatch(p.body, 200) {
		if link := attributesOf(m[1])["href"]; signInWord.MatchString(link + " " + m[2]) {
			add(link)
		}
	}
	for _, path := range []string{"/login", "/saml/login", "/sso/login", "/auth/saml/login", "/saml2/login", "/saml/sso"} {
		add(path)
	}
	return out
}

// metadataPaths are where service providers usually publish metadata.
func metadataPaths() []string {
	return []string{
		"/saml/metadata", "/metadata", "/saml2/metadata", "/metadata.xml", "/saml/metadata.xml", "/sso/saml/metadata",
		"/auth/saml/metadata", "/users/auth/saml/metadata", "/api/saml/metadata", "/api/auth/saml/metadata",
		"/saml/sp/metadata", "/saml/module.php/saml/sp/metadata.php/default-sp",
		"/simplesaml/module.php/saml/sp/metadata.php/default-sp", "/Shibboleth.sso/Metadata", "/mellon/metadata",
		"/saml2/service-provider-metadata", "/saml2/metadata/", "/saml/metadata/", "/sp/metadata",
	}
}

// metadata looks for the service provider's metadata, unless all that it can tell is known.
func (d *discoverer) metadata() error {
	if d.EntityID != "" && d.ACS != "" && d.OtherACS != "" && d.EncryptTo != nil && len(d.Logout) > 0 {
		return nil
	}
	for _, at := range d.metadataURLs() {
		p, err := d.newBrowser().get(d.ctx, at)
		if err != nil || p.status != http.StatusOK || p.leaving != nil {
			continue
		}
		m, err := readSPMetadata([]byte(p.body))
		if err != nil || d.EntityID != "" && m.EntityID != d.EntityID {
			continue
		}
		d.add("Metadata", at, "the usual paths")
		before := d.Target
		d.use(m)
		d.addSite(d.ACS)
		d.addSite(d.OtherACS)
		d.addSite(d.Discovery)
		d.addSite(d.ArtifactACS)
		for _, at := range d.Logout {
			d.addSite(at)
		}
		for _, x := range []struct{ field, was, is string }{
			{"EntityID", before.EntityID, d.EntityID}, {"ACS", before.ACS, d.ACS}, {"OtherACS", before.OtherACS, d.OtherACS},
			{"Discovery", before.Discovery, d.Discovery}, {"ArtifactACS", before.ArtifactACS, d.ArtifactACS},
		} {
			if x.was != x.is {
				d.add(x.field, x.is, at)
			}
		}
		if before.EncryptTo != d.EncryptTo {
			d.add("EncryptTo", fmt.Sprintf("RSA of %d bits", d.EncryptTo.N.BitLen()), at)
		}
		return nil
	}
	switch {
	case d.EntityID == "":
		return errors.New("the service provider's EntityID is not known, and no metadata is at the usual addresses")
	case d.ACS == "":
		return errors.New("the AuthnRequest has no AssertionConsumerServiceURL, and no metadata is at the usual addresses: " +
			"the ACS is not known")
	}
	return nil
}

// metadataURLs lists addresses at the service provider's own hosts.
func (d *discoverer) metadataURLs() []string {
	var out []string
	add := func(u string) {
		if at, err := url.Parse(u); err == nil && d.sites[strings.ToLower(at.Host)] && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	if u, err := url.Parse(d.EntityID); err == nil && isHTTP(u) {
		add(d.EntityID) // an entity ID often is the address
	}
	for _, known := range []string{d.Login, d.ACS} {
		u, err := url.Parse(known)
		if err != nil || u.Host == "" {
			continue
		}
		add(u.ResolveReference(&url.URL{Path: "metadata"}).String())
		for _, path := range metadataPaths() {
			add(u.Scheme + "://" + u.Host + path)
		}
	}
	return out
}
