package peers_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"

	"github.com/meridian-saml/meridian/saml"
)

// An idpReading is what one side reads of an identity provider.
type idpReading struct {
	entityID   string
	sso        []string // binding and location
	keys       []string // hashes of SubjectPublicKeyInfos
	validUntil time.Time
	wantSigned bool
}

// readByUs is an entity as package saml reads it. "" is the only one.
func readByUs(text []byte, entityID string) (idpReading, error) {
	read := func() (*saml.IdP, error) { return saml.ParseIdPMetadataFor(text, entityID) }
	if entityID == "" {
		read = func() (*saml.IdP, error) { return saml.ParseIdPMetadata(text) }
	}
	idp, err := read()
	if err != nil {
		return idpReading{}, err
	}
	return idpRead(idp), nil
}

// idpRead is what package saml has read.
func idpRead(idp *saml.IdP) idpReading {
	r := idpReading{entityID: idp.EntityID(), validUntil: idp.ValidUntil(), wantSigned: idp.WantAuthnRequestsSigned()}
	for _, s := range idp.SSOServices() {
		r.sso = append(r.sso, s.Binding+" "+s.URL)
	}
	for _, c := range idp.Certificates() {
		r.keys = append(r.keys, spki(c))
	}
	return r
}

func spki(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return fmt.Sprintf("%v %s", c.PublicKeyAlgorithm, hex.EncodeToString(sum[:8]))
}

// A crewjamEntity is an entity as crewjam/saml decodes it, or its error.
type crewjamEntity struct {
	crewjam.EntityDescriptor
	err error
}

// decodeByCrewjam decodes a document, and where that fails each entity of it
// alone. It fails if the document as a whole was refused.
func decodeByCrewjam(text []byte) ([]crewjamEntity, error) {
	var group crewjam.EntitiesDescriptor
	var one crewjam.EntityDescriptor
	err := xml.Unmarshal(text, &group)
	if err == nil {
		return flattenCrewjam(group, time.Time{}), nil
	}
	if alone := xml.Unmarshal(text, &one); alone == nil {
		return []crewjamEntity{{EntityDescriptor: one}}, nil
	} else if strings.Contains(err.Error(), "expected element type") {
		err = alone
	}
	doc := etree.NewDocument()
	if doc.ReadFromBytes(text) != nil {
		return nil, err
	}
	var out []crewjamEntity
	for _, e := range doc.FindElements("//EntityDescriptor") {
		if e.NamespaceURI() != samlMetadataNS {
			continue
		}
		out = append(out, decodeAlone(e))
	}
	return out, err
}

const samlMetadataNS = "urn:oasis:names:tc:SAML:2.0:metadata"

// decodeAlone makes a document of an entity, with the namespaces and the
// validUntil of the groups around it.
func decodeAlone(e *etree.Element) crewjamEntity {
	root := e.Copy()
	var until []time.Time
	for around := e.Parent(); around != nil && around.Tag != ""; around = around.Parent() {
		for _, a := range around.Attr {
			if declares := a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns"; declares &&
				root.SelectAttr(a.FullKey()) == nil {
				root.CreateAttr(a.FullKey(), a.Value)
			}
		}
		if t, err := time.Parse(time.RFC3339, around.SelectAttrValue("validUntil", "")); err == nil {
			until = append(until, t)
		}
	}
	doc := etree.NewDocument()
	doc.SetRoot(root)
	out := crewjamEntity{EntityDescriptor: crewjam.EntityDescriptor{EntityID: e.SelectAttrValue("entityID", "")}}
	alone, err := doc.WriteToBytes()
	if err == nil {
		err = xml.Unmarshal(alone, &out.EntityDescriptor)
	}
	out.err = err
	for _, t := range until {
		out.ValidUntil = sooner(out.ValidUntil, t)
	}
	return out
}

func flattenCrewjam(group crewjam.EntitiesDescriptor, until time.Time) []crewjamEntity {
	if group.ValidUntil != nil {
		until = sooner(until, *group.ValidUntil)
	}
	var out []crewjamEntity
	for _, e := range group.EntityDescriptors {
		e.ValidUntil = sooner(e.ValidUntil, until)
		out = append(out, crewjamEntity{EntityDescriptor: e})
	}
	for _, g := range group.EntitiesDescriptors {
		out = append(out, flattenCrewjam(g, until)...)
	}
	return out
}

// sooner is the earlier of two instants, where zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// readByCrewjam returns everything that an entity has for its identity provider
// roles, whether usable or not. A note has more about a part.
func readByCrewjam(e crewjam.EntityDescriptor) (r idpReading, notes map[string]string) {
	r, notes = idpReading{entityID: e.EntityID, validUntil: e.ValidUntil}, make(map[string]string)
	for _, role := range e.IDPSSODescriptors {
		note := ""
		if !slices.Contains(strings.Fields(role.ProtocolSupportEnumeration), "urn:oasis:names:tc:SAML:2.0:protocol") {
			note = notSAML2
		} else {
			if role.ValidUntil != nil {
				r.validUntil = sooner(r.validUntil, *role.ValidUntil)
			}
			r.wantSigned = r.wantSigned || role.WantAuthnRequestsSigned != nil && *role.WantAuthnRequestsSigned
		}
		for _, s := range role.SingleSignOnServices {
			at := s.Binding + " " + s.Location
			r.sso, notes[at] = append(r.sso, at), note
		}
		for _, k := range role.KeyDescriptors {
			if k.Use == "encryption" {
				continue
			}
			for i, c := range k.KeyInfo.X509Data.X509Certificates {
				key, note := decodeCertificate(c.Data), note
				if note == "" && i > 0 {
					note = notFirst
				}
				if have, ok := notes[key]; !ok || have != "" {
					notes[key] = note
				}
				r.keys = append(r.keys, key)
			}
		}
	}
	return r, notes
}

// The texts of notes.
const (
	notSAML2 = "in a role without SAML 2.0"
	notFirst = "not the first certificate of its X509Data"
)

// decodeCertificate returns the hash of a certificate's key, or an error's text.
func decodeCertificate(text string) string {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return err.Error()
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return err.Error()
	}
	return spki(c)
}

// compareReadings lists the differences of two readings.
func compareReadings(ours, theirs idpReading, notes map[string]string) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, strings.TrimSpace(fmt.Sprintf(format, args...))) }
	if ours.entityID != theirs.entityID {
		say("entity ID: %q by us", ours.entityID)
	}
	for _, at := range distinct(theirs.sso) {
		if !slices.Contains(ours.sso, at) {
			say("endpoint not by us: %s %s", at, notes[at])
		}
	}
	for _, at := range distinct(ours.sso) {
		if !slices.Contains(theirs.sso, at) {
			say("endpoint by us alone: %s", at)
		}
	}
	for _, key := range distinct(theirs.keys) {
		if !slices.Contains(ours.keys, key) {
			say("key not by us: %s %s", key, notes[key])
		}
	}
	if len(ours.keys) == 0 {
		say("keys without a certificate alone by us")
	}
	for _, key := range distinct(ours.keys) {
		if !slices.Contains(theirs.keys, key) {
			say("key by us alone: %s", key)
		}
	}
	if !ours.validUntil.Equal(theirs.validUntil) {
		say("validUntil: %v by us, %v", ours.validUntil, theirs.validUntil)
	}
	if ours.wantSigned != theirs.wantSigned {
		say("WantAuthnRequestsSigned: %t by us", ours.wantSigned)
	}
	return out
}

func distinct(all []string) []string { return slices.Compact(slices.Sorted(slices.Values(all))) }
