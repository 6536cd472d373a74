package run

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/beevik/etree"
)

// authnRequest is the service provider's AuthnRequest (Core 3.4.1).
type authnRequest struct {
	id, acs, issuer string
	to              string // the address that it was sent to
	relayState      string
	hasRelayState   bool
	forceAuthn      bool
	nameIDFormat    string
	authnContext    string
	subject         string // the NameID that it names; "" if there is none
}

// errElsewhere is about a request that goes to another address than the identity
// provider's.
var errElsewhere = errors.New("the request is for another address")

const (
	maxRequest = 256 << 10
	nsProtocol = "urn:oasis:names:tc:SAML:2.0:protocol"
)

// requestIn reads the AuthnRequest to the identity provider in a page.
func (r *runner) requestIn(p page) (*authnRequest, error) { return r.requestTo(r.IdP, p) }

// requestTo reads an AuthnRequest from a redirect (Bindings 3.4) or from a form that a
// script submits (Bindings 3.5).
func (r *runner) requestTo(idp *IdP, p page) (*authnRequest, error) {
	at, fields := "", url.Values(nil)
	redirected := p.leaving != nil
	switch {
	case redirected && p.leaving.Query().Has("SAMLRequest"):
		bare := *p.leaving
		bare.RawQuery = ""
		at, fields = bare.String(), p.leaving.Query()
	case redirected:
		return nil, fmt.Errorf("it redirects to %.200q, without an AuthnRequest", p.leaving.Redacted())
	default:
		if at, fields = formWith(p.body, "SAMLRequest"); fields == nil {
			return nil, fmt.Errorf("it shows a page (status %d) without an AuthnRequest: %s", p.status, excerpt(p.body))
		}
	}
	text := fields.Get("SAMLRequest")
	if !redirected { // a form may break lines
		text = strings.Join(strings.Fields(text), "")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("the SAMLRequest is not base64")
	}
	if redirected {
		if raw, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), maxRequest+1)); err != nil {
			return nil, errors.New("the SAMLRequest is not deflated")
		}
	}
	if len(raw) > maxRequest {
		return nil, errors.New("the SAMLRequest is too large")
	}
	if idp.SSOURL != "" && at != idp.SSOURL {
		return nil, fmt.Errorf("%w: its Destination is %.200q: want this identity provider's %q",
			errElsewhere, at, idp.SSOURL)
	}
	a, err := readRequest(raw)
	if err != nil {
		return nil, err
	}
	a.to = at
	a.relayState, a.hasRelayState = fields.Get("RelayState"), fields.Has("RelayState")
	if r.EntityID != "" && a.issuer != r.EntityID {
		return nil, fmt.Errorf("the request's Issuer is %.200q: want %q", a.issuer, r.EntityID)
	}
	if a.acs != "" && r.ACS != "" && a.acs != r.ACS {
		return nil, fmt.Errorf("the request's AssertionConsumerServiceURL is %.200q: want %q", a.acs, r.ACS)
	}
	return a, nil
}

func readRequest(raw []byte) (*authnRequest, error) {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil || doc.Root() == nil {
		return nil, fmt.Errorf("the AuthnRequest is not XML: %v", err)
	}
	root := doc.Root()
	if root.Tag != "AuthnRequest" || root.NamespaceURI() != nsProtocol {
		return nil, fmt.Errorf("the request is a %.100q", root.Tag)
	}
	a := &authnRequest{id: root.SelectAttrValue("ID", ""), acs: root.SelectAttrValue("AssertionConsumerServiceURL", "")}
	if a.id == "" {
		return nil, errors.New("the AuthnRequest has no ID")
	}
	force := root.SelectAttrValue("ForceAuthn", "")
	a.forceAuthn = force == "true" || force == "1"
	if el := root.SelectElement("Issuer"); el != nil {
		a.issuer = strings.TrimSpace(el.Text())
	}
	if el := root.SelectElement("NameIDPolicy"); el != nil {
		a.nameIDFormat = el.SelectAttrValue("Format", "")
	}
	if el := root.FindElement("./Subject/NameID"); el != nil {
		a.subject = strings.TrimSpace(el.Text())
	}
	if el := root.FindElement("./RequestedAuthnContext/AuthnContextClassRef"); el != nil {
		a.authnContext = strings.TrimSpace(el.Text())
	}
	return a, nil
}

var (
	formTag  = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)(</form>|$)`)
	inputTag = regexp.MustCompile(`(?is)<input\b([^>]*)>`)
	htmlAttr = regexp.MustCompile(`(?is)([a-z-]+)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)`)
)

// formWith returns the target and the fields of the form that has a field, or nil
// fields if there is none.
func formWith(body, field string) (string, url.Values) {
	for _, form := range formTag.FindAllStringSubmatch(body, 20) {
		fields := make(url.Values)
		for _, input := range inputTag.FindAllStringSubmatch(form[2], 100) {
			attrs := attributesOf(input[1])
			fields.Set(attrs["name"], attrs["value"])
		}
		if fields.Has(field) {
			return attributesOf(form[1])["action"], fields
		}
	}
	return "", nil
}

func attributesOf(tag string) map[string]string {
	out := make(map[string]string)
	for _, m := range htmlAttr.FindAllStringSubmatch(tag, 50) {
		value := m[2]
		if value[0] == '"' || value[0] == '\'' {
			value = value[1 : len(value)-1]
		}
		out[strings.ToLower(m[1])] = html.UnescapeString(value)
	}
	return out
}

var notText = regexp.MustCompile(`(?is)<(script|style|head)\b.*?</(script|style|head)>|<[^>]*>`)

// excerpt is the text of a page, quoted on one line.
func excerpt(body string) string {
	text := strings.Join(strings.Fields(html.UnescapeString(notText.ReplaceAllString(body, " "))), " ")
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}
