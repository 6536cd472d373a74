package mockidp

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// writer writes a document of an issue.
type writer struct {
	Federation
	generator *generator
	issue     *issue
	wanted
	signer signer
	rival  string // the certificate of a duplicate
}

// times returns when a document was published, and its validUntil, which may be zero.
func (w writer) times() (at, until time.Time) {
	at = w.issue.at
	validity := w.Validity
	if validity < 0 {
		validity = time.Hour
	}
	switch {
	case w.expired:
		at = at.Add(-validity - 24*time.Hour)
	case w.old:
		at = at.Add(-validity / 2)
	}
	until = at.Add(validity)
	switch {
	case w.longValidity:
		until = at.AddDate(30, 0, 0)
	case w.noValidUntil, w.Validity < 0 && !w.expired:
		until = time.Time{}
	}
	return at, until
}

// attributes returns the ID of a document's root and its attributes, of which those that are empty are left out.
func (w writer) attributes(name, entityID string) (id string, list [][2]string) {
	at, until := w.times()
	cache, end := "", ""
	if w.CacheDuration > 0 {
		cache = fmt.Sprintf("PT%dS", int64(w.CacheDuration/time.Second))
	}
	if !until.IsZero() {
		end = instant(until)
	}
	unique := fmt.Sprintf("federation\x00%s\x00%d\x00%d\x00%+v", w.Name, at.UnixNano(), w.issue.number, w.wanted)
	id = "_" + strings.ReplaceAll(derivedGUID(unique), "-", "")
	return id, [][2]string{{"ID", id}, {"Name", name}, {"cacheDuration", cache}, {"entityID", entityID},
		{"validUntil", end}}
}

// publication returns a PublicationInfo (SAML V2.0 Metadata Extensions for Registration and Publication Information,
// 2.2).
func (w writer) publication() string {
	at, _ := w.times()
	return startTag("mdrpi:PublicationInfo", false, [2]string{`xmlns:mdrpi`, nsPublication},
		[2]string{"creationInstant", instant(at)}, [2]string{"publisher", w.Name}) + "</mdrpi:PublicationInfo>"
}

// group returns an EntitiesDescriptor with entities.
func (w writer) group(entities ...[]byte) (*document, error) {
	id, attributes := w.attributes(w.Name, "")
	tail := append([][]byte{[]byte(beginExtensions + w.publication() + "</md:Extensions>")}, entities...)
	tail = append(tail, []byte("</md:EntitiesDescriptor>"))
	return w.signed(id, startTag("md:EntitiesDescriptor", true, attributes...), tail...)
}

// one returns the document about an entity, or nil.
func (w writer) one() (*document, error) {
	e, found, err := w.find(w.entity)
	if err != nil || !found {
		return nil, err
	}
	if w.broken == w.entity {
		e.rest = withCertificate(e.rest, "AAAA")
	}
	if w.wanted.group {
		return w.group(e.within())
	}
	id, attributes := w.attributes("", e.id)
	return w.signed(id, startTag("md:EntityDescriptor", true, attributes...),
		[]byte(beginExtensions+w.publication()), e.rest[len(beginExtensions):])
}

func (w writer) find(id string) (entity, bool, error) {
	for _, e := range w.issue.own {
		if e.id == id {
			return e, true, nil
		}
	}
	i, ok := generatedIndex(id, w.Entities)
	if !ok {
		return entity{}, false, nil
	}
	e, err := w.generator.entity(i)
	return e, err == nil, err
}

// all returns the document with all entities.
func (w writer) all() (*document, error) {
	g := w.generator
	var own []byte
	for _, e := range w.issue.own {
		own = append(own, w.spoiled(e.id, e.within())...)
	}
	var changed []int
	for _, id := range []string{w.broken, w.duplicate} {
		if i, ok := generatedIndex(id, w.Entities); ok {
			changed = append(changed, i)
		}
	}
	slices.Sort(changed)
	entities, done := [][]byte{own}, 0
	for _, i := range slices.Compact(changed) {
		text := g.text[g.starts[i]:g.starts[i+1]]
		entities = append(entities, g.text[done:g.starts[i]], w.spoiled(generatedID(i), text))
		done = g.starts[i+1]
	}
	return w.group(append(entities, g.text[done:])...)
}

// spoiled returns a descriptor as the variant has it.
func (w writer) spoiled(id string, text []byte) []byte {
	if w.broken == id {
		text = withCertificate(text, "AAAA")
	}
	if w.duplicate == id {
		text = slices.Concat(text, withCertificate(text, w.rival))
	}
	return text
}

// withCertificate replaces the first certificate.
func withCertificate(text []byte, with string) []byte {
	const begin, end = "<ds:X509Certificate>", "</ds:X509Certificate>"
	before, rest, _ := bytes.Cut(text, []byte(begin))
	_, after, _ := bytes.Cut(rest, []byte(end))
	return slices.Concat(before, []byte(begin+with+end), after)
}

// signed returns a document whose root has this ID and start tag, signed at the root. All parts are canonical, so their
// digest is that of the element; an etree.Document of a big one would take many times its memory.
func (w writer) signed(id, start string, rest ...[]byte) (*document, error) {
	const declaration = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	var signature []byte
	if !w.unsigned {
		sig, err := w.signer.signatureOver(id, bytes.Join(append([][]byte{[]byte(start)}, rest...), nil))
		if err != nil {
			return nil, err
		}
		doc := canonical(etree.NewDocument())
		doc.SetRoot(sig)
		if signature, err = doc.WriteToBytes(); err != nil {
			return nil, err
		}
	}
	if w.tampered {
		rest = slices.Clone(rest)
		rest[0] = bytes.Replace(rest[0], []byte(` publisher="`), []byte(` publisher="x`), 1)
	}
	parts := slices.Concat([][]byte{[]byte(declaration + start), signature}, rest)
	return newDocumentOf(append([]byte(start), signature...), parts...), nil
}

// signatureOver returns the signature of an element that has this ID and canonical form.
func (k signer) signatureOver(id string, text []byte) (*etree.Element, error) {
	el := etree.NewElement("signed")
	el.CreateAttr("ID", id)
	return k.construct(el, func(c dsig.Canonicalizer) dsig.Canonicalizer { return prepared{c, el, text} })
}

// prepared knows the canonical form of an element.
type prepared struct {
	dsig.Canonicalizer
	el   *etree.Element
	text []byte
}

func (p prepared) Canonicalize(el *etree.Element) ([]byte, error) {
	if el == p.el {
		return p.text, nil
	}
	return p.Canonicalizer.Canonicalize(el)
}
