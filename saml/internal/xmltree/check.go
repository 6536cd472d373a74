package xmltree

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits bounds a document; every field must be set.
type Limits struct {
	Bytes, Depth, Nodes    int
	Attributes, Namespaces int // of one element
	Total                  int // attributes in all, and declarations in all
}

// Check reads a document once and says whether it is XML of the kind that SAML
// needs. It builds no tree; what it holds grows with the depth and with the
// number of IDs, both of which are limited.
func Check(doc []byte, limits Limits) error {
	if len(doc) > limits.Bytes {
		return limitError("size in bytes", limits.Bytes)
	}
	if !utf8.Valid(doc) {
		return &Error{Kind: Syntax, Detail: "not valid UTF-8"}
	}
	doc = bytes.TrimPrefix(doc, utf8BOM)
	c := &checker{limits: limits, scope: newScope(), ids: make(map[string]bool), decoder: xml.NewDecoder(bytes.NewReader(doc))}
	c.decoder.Strict = true
	for {
		token, err := c.decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return c.end()
		}
		if err != nil {
			return &Error{Kind: Syntax, Detail: "not well-formed", Err: err}
		}
		if err := c.token(token); err != nil {
			return err
		}
	}
}

var utf8BOM = []byte("\xef\xbb\xbf")

type checker struct {
	limits  Limits
	decoder *xml.Decoder
	open    []openElement // from the root to here
	scope   *scope
	ids     map[string]bool // an ID, and whether it may stand twice

	nodes, attributes, namespaces int
	rootSeen                      bool
}

// openElement is an element whose end has not come yet.
type openElement struct {
	name             xml.Name // prefix and local name, as written
	hasText, comment bool
}

func (c *checker) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return c.start(t)
	case xml.EndElement:
		return c.finish(t)
	case xml.CharData:
		return c.text(t)
	case xml.Comment:
		return c.comment()
	case xml.ProcInst:
		// The declaration can only be the very first thing; encoding/xml has
		// already refused other versions than 1.0 and other encodings than UTF-8.
		if t.Target == "xml" && !c.rootSeen && c.nodes == 0 {
			return c.count()
		}
		return &Error{Kind: Syntax, Detail: "a processing instruction"}
	default:
		return &Error{Kind: Syntax, Detail: "a DOCTYPE or another directive"}
	}
}

func (c *checker) count() error {
	if c.nodes++; c.nodes > c.limits.Nodes {
		return limitError("number of nodes", c.limits.Nodes)
	}
	return nil
}

func (c *checker) start(t xml.StartElement) error {
	if err := c.count(); err != nil {
		return err
	}
	if len(c.open) == 0 {
		if c.rootSeen {
			return &Error{Kind: Syntax, Detail: "more than one root element"}
		}
		c.rootSeen = true
	}
	if len(c.open) >= c.limits.Depth {
		return limitError("depth of nesting", c.limits.Depth)
	}
	if err := checkName(t.Name); err != nil {
		return err
	}
	c.open = append(c.open, openElement{name: t.Name})
	c.scope.push()
	if err := c.declarations(t.Attr); err != nil {
		return err
	}
	space, err := c.scope.resolve(t.Name.Space)
	if err != nil {
		return err
	}
	return c.checkAttributes(xml.Name{Space: space, Local: t.Name.Local}, t.Attr)
}

// declarations puts the namespaces that an element declares into scope.
func (c *checker) declarations(attrs []xml.Attr) error {
	var own int
	for _, a := range attrs {
		prefix, ok := declaredPrefix(a)
		if !ok {
			continue
		}
		if own++; own > c.limits.Namespaces {
			return limitError("namespace declarations of one element", c.limits.Namespaces)
		}
		if c.namespaces++; c.namespaces > c.limits.Total {
			return limitError("namespace declarations", c.limits.Total)
		}
		if err := c.scope.declare(prefix, a.Value); err != nil {
			return err
		}
	}
	return nil
}

// declaredPrefix tells a namespace declaration from an attribute.
func declaredPrefix(a xml.Attr) (string, bool) {
	switch {
	case a.Name.Space == "xmlns":
		return a.Name.Local, true
	case a.Name.Space == "" && a.Name.Local == "xmlns":
		return "", true
	}
	return "", false
}

// checkAttributes refuses two attributes of one name, before and after their
// prefixes are resolved (Namespaces in XML 6.3), and IDs that stand twice.
func (c *checker) checkAttributes(element xml.Name, attrs []xml.Attr) error {
	var own int
	seen := make(map[xml.Name]bool, len(attrs))
	for _, a := range attrs {
		name := a.Name
		if err := checkName(name); err != nil {
			return err
		}
		if _, declares := declaredPrefix(a); !declares {
			if own++; own > c.limits.Attributes {
				return limitError("attributes of one element", c.limits.Attributes)
			}
			if c.attributes++; c.attributes > c.limits.Total {
				return limitError("attributes", c.limits.Total)
			}
			if name.Space != "" {
				space, err := c.scope.resolve(name.Space)
				if err != nil {
					return err
				}
				name.Space = space
			}
		}
		if seen[name] {
			return &Error{Kind: Syntax, Detail: fmt.Sprintf("the attribute %q stands twice in one element", name.Local)}
		}
		seen[name] = true
		if err := c.checkID(element, name, a.Value); err != nil {
			return err
		}
	}
	return nil
}

const (
	nsXML       = "http://www.w3.org/XML/1998/namespace"
	nsXMLNS     = "http://www.w3.org/2000/xmlns/"
	nsSignature = "http://www.w3.org/2000/09/xmldsig#"
)

// checkID refuses an ID that stands twice, whatever spelling of the attribute
// carries it: a signature's Reference must not be able to mean two elements.
// Only the Id of a ds:Signature, which a SAML signature never refers to, may
// be that of another ds:Signature (some identity providers do that).
func (c *checker) checkID(element, name xml.Name, value string) error {
	switch {
	case name.Space == "" && (name.Local == "ID" || name.Local == "Id" || name.Local == "id"):
	case name.Space == nsXML && name.Local == "id":
	default:
		return nil
	}
	repeatable := element == xml.Name{Space: nsSignature, Local: "Signature"}
	if was, dup := c.ids[value]; dup && !(was && repeatable) {
		return &Error{Kind: Duplicate, Detail: "an ID stands twice"}
	}
	c.ids[value] = repeatable
	return nil
}

func (c *checker) finish(t xml.EndElement) error {
	if len(c.open) == 0 || c.open[len(c.open)-1].name != t.Name {
		return &Error{Kind: Syntax, Detail: "an end tag without its start tag"}
	}
	c.open = c.open[:len(c.open)-1]
	c.scope.pop()
	return nil
}

func (c *checker) text(t xml.CharData) error {
	if err := c.count(); err != nil {
		return err
	}
	if isSpace(t) {
		return nil
	}
	if len(c.open) == 0 {
		return &Error{Kind: Syntax, Detail: "text outside the root element"}
	}
	c.open[len(c.open)-1].hasText = true
	return c.split()
}

func (c *checker) comment() error {
	if err := c.count(); err != nil {
		return err
	}
	if len(c.open) > 0 {
		c.open[len(c.open)-1].comment = true
		return c.split()
	}
	return nil
}

// split refuses a comment and text side by side: one reader would join the
// text around the comment, another take only what stands before it.
func (c *checker) split() error {
	if e := c.open[len(c.open)-1]; e.hasText && e.comment {
		return &Error{Kind: Text, Detail: fmt.Sprintf("a comment inside the text of %q", clip(e.name.Local))}
	}
	return nil
}

func (c *checker) end() error {
	switch {
	case !c.rootSeen:
		return &Error{Kind: Syntax, Detail: "no root element"}
	case len(c.open) > 0:
		return &Error{Kind: Syntax, Detail: "it ends before its root element does"}
	}
	return nil
}

// checkName wants both parts of a name to be without a colon and not empty:
// encoding/xml leaves names with other colons than one in the middle whole.
func checkName(name xml.Name) error {
	if name.Local == "" || strings.Contains(name.Local, ":") || strings.Contains(name.Space, ":") {
		return &Error{Kind: Syntax, Detail: "a name with an empty part or more than one colon"}
	}
	return nil
}

func isSpace(t []byte) bool { return len(bytes.Trim(t, " \t\r\n")) == 0 }

func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}

func limitError(what string, limit int) *Error {
	return &Error{Kind: Limit, Detail: fmt.Sprintf("%s: at most %d", what, limit)}
}
