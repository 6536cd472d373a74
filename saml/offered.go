package saml

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	nsAlgorithms = "urn:oasis:names:tc:SAML:metadata:algsupport"
	digestSHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
	ruleOffered  = "SigningMethod, DigestMethod (Metadata Profile for Algorithm Support)"
)

// offered are the signature algorithms that an identity provider's metadata says it
// can verify. They restrict how requests are signed. They don't extend what is
// accepted of the identity provider's own signatures.
type offered struct {
	methods []offeredMethod // empty: it doesn't say
	digests []string        // likewise
}

type offeredMethod struct {
	uri         string
	least, most int // bits of the key; zero: no bound
}

// readOffered reads the algorithms of a role, and those of its entity if the role has
// none.
func (d *metadataDecoder) readOffered(o *offered, of xmltree.Node) {
	var found offered
	for n := range extensions(of, nsAlgorithms) {
		switch uri := d.anyURI(n, "Algorithm"); n.Local() {
		case "SigningMethod":
			found.methods = append(found.methods, offeredMethod{uri, d.bits(n, "MinKeySize"), d.bits(n, "MaxKeySize")})
		case "DigestMethod":
			found.digests = append(found.digests, uri)
		}
	}
	if len(found.methods) > 0 {
		o.methods = found.methods
	}
	if len(found.digests) > 0 {
		o.digests = found.digests
	}
}

// bits reads the size of a key. It returns zero if the attribute is absent or invalid.
func (d *metadataDecoder) bits(n xmltree.Node, name string) int {
	value, _ := n.Attr(name)
	bits, _ := strconv.Atoi(collapse(value))
	return max(bits, 0)
}

// checkOffered requires the identity provider to accept the signatures of Config.Key,
// if its metadata lists algorithms (IIP-MD10). There is no weaker one to fall back to.
// The digest is that of an enveloped signature.
func (sp *ServiceProvider) checkOffered(idp *IdP, binding string) error {
	digests := idp.offered.digests
	if binding != "" && binding != HTTPRedirect && len(digests) > 0 && !slices.Contains(digests, digestSHA256) {
		return &Error{Reason: ReasonAlgorithm, Rule: ruleOffered, Want: clip(strings.Join(digests, ", ")), Got: digestSHA256}
	}
	_, uri := sp.method()
	bits := 0
	switch key := sp.cfg.Key.Public().(type) {
	case *rsa.PublicKey:
		bits = key.N.BitLen()
	case *ecdsa.PublicKey:
		bits = key.Params().BitSize
	}
	accepts := func(m offeredMethod) bool {
		return m.uri == uri && bits >= m.least && (m.most == 0 || bits <= m.most)
	}
	if len(idp.offered.methods) == 0 || slices.ContainsFunc(idp.offered.methods, accepts) {
		return nil
	}
	return &Error{
		Reason: ReasonAlgorithm, Rule: ruleOffered, Want: idp.offered.names(),
		Got:    uri + " with a key of " + strconv.Itoa(bits) + " bits",
		Detail: "the identity provider's metadata lists the signatures that it accepts of Config.Key",
	}
}

// warnOffered warns about an identity provider that lists only signatures that this
// package never makes.
func (d *metadataDecoder) warnOffered(o *offered) {
	if len(o.methods) > 0 && !slices.ContainsFunc(o.methods, offeredMethod.signable) {
		d.warn("SigningMethod: requests can't be signed, because only " + quote(o.names()) + " is accepted")
	}
}

// signable reports whether this package signs with the method, given a suitable key.
func (m offeredMethod) signable() bool {
	for _, ours := range ecdsaMethods {
		if m.uri == ours.uri {
			return true
		}
	}
	return m.uri == rsaSHA256
}

// checkSignable requires some key to exist with which requests to the identity provider
// can be signed.
func (i *IdP) checkSignable() error {
	o := &i.offered
	if len(o.methods) > 0 && !slices.ContainsFunc(o.methods, offeredMethod.signable) {
		return &Error{Reason: ReasonAlgorithm, Rule: ruleOffered, Want: "an algorithm with which requests are signed",
			Got: o.names(), Detail: "requests can't be signed"}
	}
	redirects := slices.ContainsFunc(i.sso, func(s SSOService) bool { return s.Binding == HTTPRedirect })
	if !redirects && len(o.digests) > 0 && !slices.Contains(o.digests, digestSHA256) {
		return &Error{Reason: ReasonAlgorithm, Rule: ruleOffered, Want: digestSHA256,
			Got: clip(strings.Join(o.digests, ", ")), Detail: "requests by HTTP-POST can't be signed"}
	}
	return nil
}

func (o *offered) names() string {
	var all []string
	for _, m := range o.methods[:min(len(o.methods), maxReasons)] {
		all = append(all, m.uri)
	}
	return clip(strings.Join(all, ", "))
}
