package portal

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/saml"
)

// AccessControlAttribute begins the name of an attribute for access control. The rest is the key of its tag.
const AccessControlAttribute = "https://aws.amazon.com/SAML/Attributes/AccessControl:"

// The limits of attributes for access control. All but the last are AWS's. The last bounds what a session of the user
// takes in every Region.
const (
	maxTags       = 50
	maxTagKey     = 128 // characters
	maxTagValue   = 460 // bytes
	maxTagsLength = 8192
)

// tagKey is what the key of a tag may be at AWS, but for its length.
var tagKey = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]+$`)

// tagsOf returns the attributes for access control, by the keys of their tags. Each has exactly one value, of text.
func tagsOf(attributes []saml.Attribute) (map[string]string, *Error) {
	tags, length := map[string]string{}, 0
	for _, a := range attributes {
		key, ok := strings.CutPrefix(a.Name, AccessControlAttribute)
		if !ok {
			continue
		}
		_, twice := tags[key]
		switch {
		case !tagKey.MatchString(key) || utf8.RuneCountInString(key) > maxTagKey:
			want := fmt.Sprintf("1 to %d letters, digits, spaces and _.:/=+-@", maxTagKey)
			return nil, newError(ReasonAccessControl, "key of an attribute for access control", want, key)
		case twice:
			return nil, newError(ReasonAccessControl, "attribute "+a.Name, "once", "twice")
		case len(a.Values) != 1:
			return nil, newError(ReasonAccessControl, "attribute "+a.Name, "one value", strconv.Itoa(len(a.Values)))
		case a.Values[0].Nil || len(a.Values[0].Elements) > 0:
			return nil, newError(ReasonAccessControl, "attribute "+a.Name, "a value of text", "another")
		case len(a.Values[0].Text) > maxTagValue:
			want, got := fmt.Sprintf("at most %d bytes", maxTagValue), strconv.Itoa(len(a.Values[0].Text))
			return nil, newError(ReasonAccessControl, "attribute "+a.Name, want, got)
		}
		tags[key] = a.Values[0].Text
		length += len(key) + len(a.Values[0].Text)
	}
	switch {
	case len(tags) > maxTags:
		want, got := fmt.Sprintf("at most %d", maxTags), strconv.Itoa(len(tags))
		return nil, newError(ReasonAccessControl, "attributes for access control", want, got)
	case length > maxTagsLength:
		want, got := fmt.Sprintf("at most %d bytes", maxTagsLength), strconv.Itoa(length)
		return nil, newError(ReasonAccessControl, "attributes for access control, in all", want, got)
	case len(tags) == 0:
		return nil, nil
	}
	return tags, nil
}
