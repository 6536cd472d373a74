package xmltree_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// inUTF16 writes a text as UTF-16 with the mark that it begins with, if any.
func inUTF16(order binary.AppendByteOrder, text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

func utf16LE(text string) string { return inUTF16(binary.LittleEndian, text) }

func utf16BE(text string) string { return inUTF16(binary.BigEndian, text) }

const misplaced = "XML declaration is not at the start of the document"

func declared(encoding string) string { return `<?xml version="1.0" encoding="` + encoding + `"?>` }

// Metadata comes in more encodings than responses do.
func TestParseEncodedReads(t *testing.T) {
	const eurozone = "<é>€𝄞\r\n</é>"
	for doc, want := range map[string]string{
		eurozone:                                        `({}é "€𝄞\n")`,
		"\ufeff" + eurozone:                             `({}é "€𝄞\n")`,
		declared("UTF-8") + eurozone:                    `({}é "€𝄞\n")`,
		"\ufeff" + declared("utf-8") + eurozone:         `({}é "€𝄞\n")`,
		declared("utf8") + eurozone:                     `({}é "€𝄞\n")`,
		utf16LE("\ufeff" + eurozone):                    `({}é "€𝄞\n")`,
		utf16BE("\ufeff" + eurozone):                    `({}é "€𝄞\n")`,
		utf16LE("\ufeff" + declared("utf-16") + "<a/>"): `({}a)`,
		utf16BE("\ufeff" + declared("UTF-16") + "<a/>"): `({}a)`,
		// The mark agrees, so there is one way to read it.
		utf16LE("\ufeff" + declared("UTF-16LE") + "<a/>"):                `({}a)`,
		utf16BE("\ufeff" + declared("utf-16be") + "<a/>"):                `({}a)`,
		utf16LE("\ufeff" + `<?xml version="1.0"?><a/>`):                  `({}a)`,
		utf16LE("\ufeff <!-- € --><a>&#x20AC;</a>"):                      `({}a "€")`,
		declared("ISO-8859-1") + "<a b='\xe9'>\xff\x80</a>":              `({}a {}b="é" "ÿ\u0080")`,
		declared("iso-8859-1") + "<\xe9/>":                               `({}é)`,
		declared("latin1") + "<a/>":                                      `({}a)`,
		declared("ISO-8859-1") + "<a>\xc3\xa9</a>":                       `({}a "Ã©")`,
		"<?xml\r\nversion='1.0'\r\n encoding='ISO-8859-1' ?><a>\xe4</a>": `({}a "ä")`,
		declared("US-ASCII") + "<a>x&#233;</a>":                          `({}a "xé")`,
	} {
		d, err := xmltree.ParseEncoded([]byte(doc), roomy)
		requireKind(t, accepted, doc, err)
		require.Equal(t, want, dump(d.Root()), "%q", doc)
	}
}

// K11, and other input that two readers could read as two documents.
func TestParseEncodedRefuses(t *testing.T) {
	for doc, says := range map[string]string{
		// The mark contradicts the declaration.
		"\ufeff" + declared("UTF-16") + "<a/>": `the XML declaration says "UTF-16", but the document is in UTF-8`,
		"\ufeff" + declared("ISO-8859-1") +
			"<a/>": `the XML declaration says "ISO-8859-1", but the document is in UTF-8`,
		"\ufeff" + declared("ISO-8859-1") +
			"<a>\xe9</a>": `the XML declaration says "ISO-8859-1", but the document is in UTF-8`,
		"\ufeff" + declared("US-ASCII") +
			"<a/>": `the XML declaration says "US-ASCII", but the document is in UTF-8`,
		declared("UTF-16") + "<a/>": `the XML declaration says "UTF-16", but the document is in UTF-8`,
		declared("utf-16le") +
			"<a/>": `the XML declaration says "utf-16le", but the document is in UTF-8`,
		utf16LE(
			"\ufeff" + declared("UTF-8") + "<a/>",
		): `the XML declaration says "UTF-8", but the document is in UTF-16LE`,
		utf16LE(
			"\ufeff" + declared("UTF-16BE") + "<a/>",
		): `the XML declaration says "UTF-16BE", but the document is in UTF-16LE`,
		utf16BE(
			"\ufeff" + declared("UTF-16LE") + "<a/>",
		): `the XML declaration says "UTF-16LE", but the document is in UTF-16BE`,
		utf16BE(
			"\ufeff" + declared("latin1") + "<a/>",
		): `the XML declaration says "latin1", but the document is in UTF-16BE`,
		// Other encodings.
		declared("windows-1252") + "<a>\xe9</a>":              `encoding "windows-1252" is not supported`,
		declared("ISO-8859-15") + "<a/>":                      `encoding "ISO-8859-15" is not supported`,
		declared("UTF-7") + "<a/>":                            `encoding "UTF-7" is not supported`,
		declared("") + "<a/>":                                 `encoding "" is not supported`,
		declared(strings.Repeat("x", 500)) + "<a/>":           `is not supported`,
		utf16LE("\ufeff" + declared("windows-1252") + "<a/>"): `encoding "windows-1252" is not supported`,
		"\xff\xfe\x00\x00<\x00\x00\x00":                       `encoding "UTF-32" is not supported`,
		"\x00\x00\xfe\xff\x00\x00\x00<":                       `encoding "UTF-32" is not supported`,
		utf16LE(declared("UTF-16") + "<a/>"):                  "UTF-16 without a byte order mark",
		utf16BE("<a/>"):                                       "UTF-16 without a byte order mark",
		// What is no text in the encoding.
		utf16LE("\ufeff<a>") + "\x00\xd8" + utf16LE("x</a>"):             "surrogate",
		utf16LE("\ufeff<a>") + "\x00\xdc" + utf16LE("</a>"):              "surrogate",
		utf16LE("\ufeff<a>") + "\x00\xd8\x00\xd8\x00\xdc" + utf16LE("<"): "surrogate",
		utf16BE("\ufeff<a/>") + "\xd8\x00":                               "surrogate",
		utf16BE("\ufeff<a/>") + " ":                                      "odd number of bytes",
		"<a>\xe9</a>":                                                    "invalid UTF-8",
		declared("UTF-8") + "<a>\xe9</a>":                                "invalid UTF-8",
		declared("US-ASCII") + "<a>\xe9</a>":                             "US-ASCII",
		utf16LE("\ufeff<a>\x00</a>"):                                     "character",
		utf16LE("\ufeff<a>\ufffe</a>"):                                   "character",
		declared("ISO-8859-1") + "<a>\x00</a>":                           "character",
		declared("ISO-8859-1") + "<a>\x1b</a>":                           "character",
		utf16LE("\ufeff\ufeff<a/>"):                                      "outside the root element",
		utf16LE("\ufeff\n" + declared("UTF-16")):                         misplaced,
		"\n" + declared("ISO-8859-1") + "<a>\xe9</a>":                    misplaced,
		"<!-- x -->\n" + declared("UTF-8") + "<a/>":                      misplaced,
		" <?x?><a/>": "processing instruction",
	} {
		d, err := xmltree.ParseEncoded([]byte(doc), roomy)
		requireKind(t, xmltree.Syntax, doc, err)
		require.Contains(t, err.Error(), says, "%q", doc)
		require.Nil(t, d)
	}
}

// The limit is about the text: UTF-16 may be twice as long, and what grows when
// it is decoded is stopped.
func TestParseEncodedLimits(t *testing.T) {
	small := roomy
	small.Bytes = 1000
	const mark = len("\ufeff")
	for _, c := range []struct {
		name string
		doc  func(n int) string
		at   int
	}{
		{"UTF-8", func(n int) string { return "<a>" + repeat("x", n-7) + "</a>" }, small.Bytes},
		{"UTF-16", func(n int) string { return utf16LE("\ufeff<a>" + repeat("x", n-7) + "</a>") }, small.Bytes - mark},
		{
			"UTF-16 of three bytes", func(n int) string { return utf16BE("\ufeff<a>" + repeat("€", n) + "</a>") },
			(small.Bytes - mark - 7) / 3,
		},
		{
			"ISO-8859-1", func(n int) string { return declared("latin1") + "<a>" + repeat("\xe9", n) + "</a>" },
			(small.Bytes - len(declared("latin1")) - 7) / 2,
		},
		{
			"US-ASCII", func(n int) string { return declared("ascii") + "<a>" + repeat("x", n-7) + "</a>" },
			small.Bytes - len(declared("ascii")),
		},
	} {
		_, err := xmltree.ParseEncoded([]byte(c.doc(c.at)), small)
		requireKind(t, accepted, c.name, err)
		_, err = xmltree.ParseEncoded([]byte(c.doc(c.at+1)), small)
		requireKind(t, xmltree.Limit, c.name, err)
		_, err = xmltree.ParseEncoded([]byte(c.doc(100*c.at)), small)
		requireKind(t, xmltree.Limit, c.name, err)
	}
}

// A response stays UTF-8, and the refusal says what it claims to be.
func TestParseNamesTheEncoding(t *testing.T) {
	for doc, says := range map[string]string{
		declared("ISO-8859-1") + "<a>\xe9</a>":          `the document is in "ISO-8859-1"; a SAML response must be UTF-8`,
		declared("iso-8859-1") + "<a/>":                 `the document is in "iso-8859-1"; a SAML response must be UTF-8`,
		declared("windows-1252") + "<a>\x80</a>":        `the document is in "windows-1252"; a SAML response must be UTF-8`,
		declared("US-ASCII") + "<a/>":                   `the document is in "US-ASCII"; a SAML response must be UTF-8`,
		"\ufeff" + declared("UTF-16") + "<a/>":          `the document is in "UTF-16"; a SAML response must be UTF-8`,
		utf16LE("\ufeff" + declared("UTF-16") + "<a/>"): `the document is in "UTF-16LE"; a SAML response must be UTF-8`,
		utf16BE("\ufeff<a/>"):                           `the document is in "UTF-16BE"; a SAML response must be UTF-8`,
		utf16BE("<a/>"):                                 `the document is in "UTF-16"; a SAML response must be UTF-8`,
		"\xff\xfe\x00\x00<\x00\x00\x00":                 `the document is in "UTF-32"; a SAML response must be UTF-8`,
		"<a>\xe9</a>":                                   "invalid UTF-8",
		declared("UTF-8") + "<a>\xe9</a>":               "invalid UTF-8",
		"\r\n" + declared("UTF-8") + "<a/>":             misplaced,
		"\ufeff \t" + declared("UTF-8") + "<a/>":        misplaced,
		"\n<!-- x --><!---->" + declared("UTF-8"):       misplaced,
		"\n" + declared("ISO-8859-1") + "<a>\xe9</a>":   misplaced,
		"<a/>" + declared("UTF-8"):                      "processing instruction",
		"<?x?>" + declared("UTF-8") + "<a/>":            "processing instruction",
		"<!-- " + declared("UTF-8") + " --><a>\xe9</a>": "invalid UTF-8",
	} {
		d, err := xmltree.Parse(doc, roomy)
		requireKind(t, xmltree.Syntax, doc, err)
		require.Contains(t, err.Error(), says, "%q", doc)
		require.Nil(t, d)
	}
}
