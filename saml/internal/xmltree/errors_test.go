package xmltree_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// An error says where it is, and what it is about. "^" is the byte that it
// points at, and is not part of the document; without one, the document as a
// whole is meant.
func TestErrorsSayWhere(t *testing.T) {
	for marked, name := range map[string]string{
		// The document
		`^`: "", ` <!-- x --> ^`: "", `^x<a/>`: "", `<a/>^<b/>`: "", `<a/> ^x`: "", `<a/>^<!DOCTYPE a>`: "",
		`<a>^<?x?></a>`:            "",
		`^<?xml version="2"?><a/>`: "", ` ^<?xml version="1.0"?><a/>`: "", "\ufeff<!-- -->^<?xml version='1.0'?><a/>": "",
		`<?xml version="1.0" encoding="latin1"?><a/>`: "latin1",
		// Tags
		`<a^`: "", `<a b="1" ^`: "", `<a></a^`: "", `<a><^p:b>`: "", `<a>x^`: "a",
		`<a>^</b>`: "a", `<p:a xmlns:p="urn:p">x^</p:a x>`: "p:a", `<^1/>`: "", `<a ^p:/>`: "", `<a b="1"^c="2"/>`: "",
		// Attributes
		`<a ^b/>`: "b", `<a b="1" ^c=2/>`: "c", `<a ^b="/>`: "b", `<a b="1^<"/>`: "b", `<a b="1" c="" ^b="2"/>`: "b",
		`<a xmlns:p="urn:p" xmlns:q="urn:p" p:b="" ^q:b=""/>`: "q:b",
		// Characters and references
		"<a>x^\x01</a>": "", "<a b='x^\x02'/>": "", "<!-- x^\x03 --><a/>": "", "<a><![CDATA[x^\uffff]]></a>": "",
		`<a>x^&nbsp;</a>`: "nbsp", `<a b="x^&nbsp;"/>`: "nbsp", `<a>x^&#0;</a>`: "#0", `<a>x^& </a>`: "", `<a>x^]]></a>`: "",
		"<a>x^\xff</a>": "", "<a>é^\xe9": "",
		`<a>^<!-- x</a>`: "", `<a><!-- x ^-- --></a>`: "", `<a>^<![CDATA[x</a>`: "",
		// Namespaces
		`<^p:a/>`: "p", `<a><b ^p:c=""/></a>`: "p", `<a ^xmlns:p=""/>`: "p", `<a ^xmlns:p="rel"/>`: "p",
		`<a ^xmlns="rel"/>`:                     "",
		`<a xmlns:p="urn:p" ^xmlns:p="urn:q"/>`: "p", `<a ^xmlns:p="urn:{"/>`: "p", `<a ^xmlns:xml="urn:x"/>`: "xml",
		// IDs, comments and the root
		`<a ID="x"><b y="" ^Id="x"/></a>`: "x", `<a ID="x"><b ^xml:id="&#120;"/></a>`: "x",
		`<a>x^<!-- --></a>`: "a", `<a><!-- -->^x</a>`: "a", `<a><!-- -->^<![CDATA[x]]></a>`: "a",
		// Line ends count once, as they are read, and a byte order mark not at all.
		"\ufeff<a>\r\n\r\n^&x;</a>": "x", "<a>\r\n^\xe9</a>": "",
	} {
		doc, at := strings.Replace(marked, "^", "", 1), strings.Index(normalised(marked), "^")
		if strings.Contains(marked, "<![CDATA[x]]>") {
			at += len("<![CDATA[") // what is in it is the text
		}
		_, err := xmltree.Parse(doc, roomy)
		var e *xmltree.Error
		require.True(t, errors.As(err, &e), "%q: %v", doc, err)
		require.Equal(t, at, e.Offset, "%q: %v", doc, err)
		if name != "" {
			require.Equal(t, name, e.Name, "%q: %v", doc, err)
			require.Contains(t, e.Detail, `"`+name+`"`)
		}
	}
	limits := roomy
	limits.Root = xmltree.Name{NS: xmltree.Protocol, Local: "Response"}
	_, err := xmltree.Parse(`<?xml version="1.0"?><p:a xmlns:p="urn:p"/>`, limits)
	var e *xmltree.Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, xmltree.Error{Reason: xmltree.Root, Name: "{urn:p}a", Offset: 22, Detail: e.Detail}, *e)
}

func normalised(s string) string {
	return strings.ReplaceAll(strings.TrimPrefix(s, "\ufeff"), "\r\n", "\n")
}

// Whatever a name holds, the message can be shown.
func TestErrorsCutNamesShort(t *testing.T) {
	long := strings.Repeat("é", 500)
	for _, doc := range []string{
		`<` + long + `>`, `<a ` + long + `/>`, `<a ID="` + long + `"><b ID="` + long + `"/></a>`,
		`<a ID="x` + long + `"><b ID="x` + long + `"/></a>`,
		`<` + long + `:a/>`, `<a ID="&#13;&#10;&quot;&#x202E;"><b ID="&#13;&#10;&quot;&#x202E;"/></a>`,
		`<?xml version="1.0" encoding="` + long + `"?><a/>`, `<a xmlns:` + long + `=""/>`,
	} {
		_, err := xmltree.Parse(doc, roomy)
		require.Error(t, err)
		text := err.Error()
		require.True(t, utf8.ValidString(text), "%q", text)
		require.Less(t, len(text), 200)
		require.False(t, strings.ContainsAny(text, "\r\n\u202e"), "%q", text)
	}
}
