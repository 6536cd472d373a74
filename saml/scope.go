package saml

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	nsShibboleth = "urn:mace:shibboleth:metadata:1.0"
	ruleScope    = "Scope (saml2int SDP-SP17)"

	maxScope        = 255   // bytes, as in a domain name
	maxScopes       = 4096  // of one identity provider
	maxPatterns     = 16    // regular expressions among them
	maxPattern      = 512   // bytes
	maxPatternSteps = 2_000 // after repetitions are expanded
	maxScopedValues = 100   // in one assertion
)

// scopedAttributes are the attributes of eduPerson and of the Subject Identifier
// Attributes Profile whose values are "name@scope", under their names in SAML 2.0 and
// the older ones of MACE-Dir.
var scopedAttributes = []string{
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "urn:mace:dir:attribute-def:eduPersonPrincipalName",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "urn:mace:dir:attribute-def:eduPersonScopedAffiliation",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.12", "urn:oid:1.3.6.1.4.1.5923.1.1.1.13",
	AttributeSubjectID, AttributePairwiseID,
}

// scopes are the scopes that an identity provider may assert.
type scopes struct {
	exact    []string // in lower case
	patterns []*regexp.Regexp
}

// add adds a scope that is not a pattern.
func (s *scopes) add(scope string) *Error {
	switch {
	case scope == "" || len(scope) > maxScope || strings.Contains(scope, "@"):
		return metadataError(ruleScope, "%s is not a scope", quote(scope))
	case len(s.exact) >= maxScopes:
		return &Error{Reason: ReasonLimit, Rule: ruleScope, Want: fmt.Sprint("at most ", maxScopes)}
	}
	s.exact = append(s.exact, lower(scope))
	return nil
}

// addPattern adds a regular expression, which must match a whole scope. Its size is
// bounded, and the package regexp matches in linear time. It is compiled alone first,
// so that it can't end the group around it.
func (s *scopes) addPattern(pattern string) *Error {
	if len(pattern) > maxPattern || len(s.patterns) >= maxPatterns {
		want := fmt.Sprintf("at most %d patterns of %d bytes", maxPatterns, maxPattern)
		return &Error{Reason: ReasonLimit, Rule: ruleScope, Want: want}
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return metadataError(ruleScope, "%s is not a regular expression", quote(pattern))
	}
	if steps(tree) > maxPatternSteps {
		want := fmt.Sprint("a pattern of at most ", maxPatternSteps, " steps")
		return &Error{Reason: ReasonLimit, Rule: ruleScope, Want: want, Got: pattern}
	}
	whole, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return metadataError(ruleScope, "%s is not a regular expression", quote(pattern))
	}
	s.patterns = append(s.patterns, whole)
	return nil
}

// steps returns the size of a regular expression with its repetitions expanded, or
// more than maxPatternSteps.
func steps(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n = min(n+steps(sub), maxPatternSteps+1)
	}
	if re.Op == syntax.OpRepeat {
		n = min(n*(1+max(re.Min, re.Max)), maxPatternSteps+1)
	}
	return n
}

func (s *scopes) has(scope string) bool {
	if len(scope) > maxScope {
		return false
	}
	return slices.Contains(s.exact, lower(scope)) ||
		slices.ContainsFunc(s.patterns, func(p *regexp.Regexp) bool { return p.MatchString(scope) })
}

// lower changes ASCII letters only: scopes are domain names.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// readScopes reads the shibmd:Scope elements of an entity and its identity provider
// roles. A pattern that is not valid is ignored, with a warning: it allows nothing.
func (d *metadataDecoder) readScopes(idp *IdP, of xmltree.Node) {
	for n := range extensions(of, nsShibboleth) {
		if n.Local() != "Scope" {
			continue
		}
		if idp.declared == nil {
			idp.declared = new(scopes)
		}
		add, text, pattern := idp.declared.add, strings.Trim(n.Text(), xmlSpace), d.boolean(n, "regexp")
		if pattern {
			add = idp.declared.addPattern
		}
		err := add(text)
		d.report.addScope(text, pattern, err)
		switch {
		case err == nil:
		case err.Reason == ReasonLimit && d.err == nil:
			d.err = err
		default:
			d.warn("Scope: " + err.Detail)
		}
	}
}

// checkScopes requires the values of scoped attributes to have a scope of this
// identity provider. Otherwise one could assert values of another's people.
func (c *claims) checkScopes() error {
	scoped := c.idp.policy.ScopedAttributes
	if len(scoped) == 0 {
		scoped = scopedAttributes
	}
	n := 0
	for _, attribute := range c.assertion.attributes {
		if !slices.Contains(scoped, attribute.Name) {
			continue
		}
		for _, value := range attribute.Values {
			if value.Nil {
				continue
			}
			if n++; n > maxScopedValues {
				return &Error{Reason: ReasonLimit, Rule: ruleScope, Want: fmt.Sprint("at most ", maxScopedValues, " values")}
			}
			// Programs disagree about a value with several "@".
			name, scope, _ := strings.Cut(value.Text, "@")
			if name == "" || strings.Contains(scope, "@") || !c.idp.scopes.has(scope) {
				return &Error{
					Reason: ReasonScope, Detail: attribute.Name,
					Want: "name@scope, with a scope of " + c.idp.entityID, Got: value.Text,
				}
			}
		}
	}
	return nil
}
