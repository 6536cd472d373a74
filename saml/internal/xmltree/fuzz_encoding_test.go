package xmltree_test

import (
	"encoding/binary"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// FuzzParseEncoded: an error is an *Error and comes with nothing. Success
// means that the document, decoded here in another way and without its
// declaration, is read by Parse as the same tree, and is within the limit.
func FuzzParseEncoded(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
		f.Add([]byte(utf16LE("\ufeff" + seed)))
		f.Add([]byte(utf16BE("\ufeff" + seed)))
		f.Add([]byte("\ufeff" + seed))
	}
	for _, name := range []string{
		"UTF-8", "utf8", "UTF-16", "UTF-16LE", "utf-16be", "ISO-8859-1", "latin1", "US-ASCII", "windows-1252", "",
	} {
		doc := declared(name) + "<a b='\u00e9'>x<!----></a>"
		f.Add([]byte(doc))
		f.Add([]byte(" " + doc))
		f.Add([]byte("\ufeff" + doc))
		f.Add([]byte(utf16LE("\ufeff" + doc)))
		f.Add([]byte(utf16BE("\ufeff" + doc)))
		f.Add([]byte(utf16LE(doc)))
		f.Add([]byte(declared(name) + "<\xe9>\x80\xff</\xe9>"))
	}
	f.Add([]byte("\xff\xfe\x00\xd8"))
	limits := roomy
	limits.Bytes = 4096
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := string(raw)
		d, err := xmltree.ParseEncoded(raw, limits)
		require.Equal(t, before, string(raw), "the input stays as it is")
		if err != nil {
			require.Nil(t, d)
			var e *xmltree.Error
			require.True(t, errors.As(err, &e))
			require.True(t, e.Offset >= -1 && e.Offset <= 2*len(raw), "%v", e)
			return
		}
		text := decodedAnotherWay(t, raw)
		require.LessOrEqual(t, len(text), limits.Bytes)
		checkTree(t, d)
		again, err := xmltree.Parse(declaration.ReplaceAllString(text, ""), limits)
		require.NoError(t, err, "%q", text)
		require.Equal(t, dump(again.Root()), dump(d.Root()))
	})
}

var (
	declaration     = regexp.MustCompile(`^\x{FEFF}?<\?xml[ \t\r\n](?s:.*?)\?>`)
	declaredName    = regexp.MustCompile(`encoding[ \t\r\n]*=[ \t\r\n]*["']([^"']*)["']`)
	oneByteEncoding = regexp.MustCompile(`(?i)^(iso|latin)`)
)

func decodedAnotherWay(t *testing.T, raw []byte) string {
	t.Helper()
	for mark, order := range map[string]binary.ByteOrder{"\xff\xfe": binary.LittleEndian, "\xfe\xff": binary.BigEndian} {
		if !strings.HasPrefix(string(raw), mark) {
			continue
		}
		require.Zero(t, len(raw)%2)
		units := make([]uint16, len(raw)/2)
		for i := range units {
			units[i] = order.Uint16(raw[2*i:])
		}
		return string(utf16.Decode(units))
	}
	name := declaredName.FindSubmatch([]byte(declaration.FindString(strings.ToValidUTF8(string(raw), "?"))))
	if name == nil || !oneByteEncoding.Match(name[1]) {
		return string(raw)
	}
	runes := make([]rune, len(raw))
	for i, b := range raw {
		runes[i] = rune(b)
	}
	return string(runes)
}
