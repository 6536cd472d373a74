package saml

import (
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Description is what an identity provider's metadata tells users about it (SAML V2.0
// Metadata Extensions for Login and Discovery User Interface), and whom to ask for help.
// It is for pages on which a user chooses one, or can't sign in with one. The identity
// provider writes its own texts, so they prove nothing. They have no control characters,
// none that are invisible or change the direction of text, and a bounded length.
type Description struct {
	EntityID string
	// Names are the DisplayNames; without any, those of the Organization.
	Names        []LocalizedText
	Descriptions []LocalizedText
	// Keywords are search words, separated by spaces.
	Keywords []LocalizedText
	Logos    []Logo
	// Hidden reports that the identity provider asks not to be shown (the entity
	// category http://refeds.org/category/hide-from-discovery).
	Hidden bool
	// Contacts are the people to ask (Metadata 2.3.2.2): those of the role before those
	// of the entity, at most 16.
	Contacts []Contact
	// ErrorURL is the page for users who can't sign in (Metadata 2.4.1): an https URL, or
	// one of this machine. It can have placeholders: see [ServiceProvider.ErrorURL].
	ErrorURL string
}

// LocalizedText is a text in a language.
type LocalizedText struct{ Lang, Text string }

// Logo is the address of an image: an https URL, or a data URL with an image of at most
// 32 KiB in base64.
type Logo struct {
	URL           string
	Lang          string // empty: for every language
	Width, Height int    // pixels
}

const (
	nsUI             = "urn:oasis:names:tc:SAML:metadata:ui"
	nsAttributes     = "urn:oasis:names:tc:SAML:metadata:attribute"
	hideFromDiscover = "http://refeds.org/category/hide-from-discovery"

	maxName        = 200 // bytes
	maxDescription = 500
	maxMarks       = 4    // on one letter
	maxLang        = 35   // RFC 5646 4.4.1
	maxLogoURL     = 2048 // of an https URL
	maxLogoData    = 32 << 10
	maxLogoSide    = 4096 // pixels
	maxLocalized   = 64   // texts or logos of a kind
)

// Descriptions yields a description of each identity provider, in document order. An
// identity provider with one may be unusable. Those whose entity ID several descriptors
// have are left out.
func (a *Aggregate) Descriptions() iter.Seq[Description] {
	return func(yield func(Description) bool) {
		for _, id := range a.order {
			if !a.duplicates[id] && !yield(describe(id, a.providers[id])) {
				return
			}
		}
	}
}

func describe(entityID string, entity xmltree.Node) Description {
	d := Description{EntityID: entityID, Hidden: hidden(entity)}
	for _, role := range identityProviderRoles(entity) {
		for n := range extensions(role, nsUI) {
			if n.Local() != "UIInfo" {
				continue
			}
			for c := n.First(); c.OK(); c = c.Next() {
				d.read(c)
			}
		}
		d.readErrorURL(role)
		d.readContacts(role)
	}
	d.readContacts(entity)
	if len(d.Names) == 0 {
		of := entity.Child(xmltree.Metadata, "Organization").Child(xmltree.Metadata, "OrganizationDisplayName")
		for ; of.OK(); of = of.NextSame() {
			addText(&d.Names, of, maxName)
		}
	}
	return d
}

// extensions yields the elements of one namespace in the Extensions of an element.
func extensions(of xmltree.Node, namespace string) iter.Seq[xmltree.Node] {
	return func(yield func(xmltree.Node) bool) {
		for n := of.Child(xmltree.Metadata, "Extensions").First(); n.OK(); n = n.Next() {
			if n.Doc().URI(n.NS()) == namespace && !yield(n) {
				return
			}
		}
	}
}

// read reads one child of UIInfo.
func (d *Description) read(n xmltree.Node) {
	if n.Doc().URI(n.NS()) != nsUI {
		return
	}
	switch n.Local() {
	case "DisplayName":
		addText(&d.Names, n, maxName)
	case "Description":
		addText(&d.Descriptions, n, maxDescription)
	case "Keywords": // a "+" stands for a space in a keyword
		addText(&d.Keywords, n, maxDescription)
	case "Logo":
		logo := Logo{strings.Trim(n.Text(), xmlSpace), language(n), side(n, "width"), side(n, "height")}
		if len(d.Logos) < maxLocalized && logo.usable() {
			d.Logos = append(d.Logos, logo)
		}
	}
}

func addText(to *[]LocalizedText, n xmltree.Node, most int) {
	text := displayable(n.Text(), most)
	if text != "" && len(*to) < maxLocalized {
		*to = append(*to, LocalizedText{language(n), text})
	}
}

// language returns xml:lang, or "" if it is not a language tag.
func language(n xmltree.Node) string {
	lang, _ := n.AttrNS(xmltree.XML, "lang")
	if !isLanguage(lang) {
		return ""
	}
	return lang
}

func isLanguage(lang string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
	return lang != "" && len(lang) <= maxLang && strings.Trim(lang, letters) == ""
}

// displayable returns a text in one line, of at most so many bytes, without characters
// that can change the text around it: neither invisible ones, nor so many marks on one
// letter that they cover the lines around it. The joiners that some scripts need stay. A
// text without a letter or a digit is empty.
func displayable(s string, most int) string {
	marks := 0
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == '\u200c' || r == '\u200d':
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.C, unicode.Other_Default_Ignorable_Code_Point), r == utf8.RuneError, marks > maxMarks:
			return -1
		}
		return r
	}, s[:min(len(s), 4*most)])
	visible := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
	if s = collapse(s); !strings.ContainsFunc(s, visible) {
		return ""
	}
	if len(s) <= most {
		return s
	}
	for !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

func side(n xmltree.Node, name string) int {
	value, _ := n.Attr(name)
	pixels, err := strconv.Atoi(collapse(value))
	if err != nil || pixels < 1 || pixels > maxLogoSide {
		return 0
	}
	return pixels
}

// usable accepts what can be shown by reference. Other schemes could be requests to
// this machine or its network, or scripts.
func (l *Logo) usable() bool {
	if l.Width == 0 || l.Height == 0 {
		return false
	}
	if data, ok := strings.CutPrefix(l.URL, "data:image/"); ok {
		kind, data, _ := strings.Cut(data, ";base64,")
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
		return len(l.URL) <= maxLogoData && strings.Trim(data, letters) == "" && data != "" &&
			slices.Contains([]string{"png", "jpeg", "gif", "webp", "svg+xml"}, kind)
	}
	u, err := url.Parse(l.URL)
	return err == nil && len(l.URL) <= maxLogoURL && u.Scheme == "https" && u.Host != "" && u.User == nil
}

// hidden reports whether an entity has the category hide-from-discovery (SAML V2.0
// Metadata Extension for Entity Attributes).
func hidden(entity xmltree.Node) bool {
	for n := range extensions(entity, nsAttributes) {
		for a := n.Child(xmltree.Assertion, "Attribute"); a.OK(); a = a.NextSame() {
			if name, _ := a.Attr("Name"); name != EntityCategory {
				continue
			}
			for v := a.Child(xmltree.Assertion, "AttributeValue"); v.OK(); v = v.NextSame() {
				if collapse(v.Text()) == hideFromDiscover {
					return true
				}
			}
		}
	}
	return false
}
