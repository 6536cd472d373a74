package oktaapi

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The limits of a filter. It is evaluated for every member of a list.
const (
	maxFilter      = 2 << 10 // bytes
	maxFilterTerms = 50
	maxFilterDepth = 16 // nested parentheses
)

// expr is a filter of SCIM (RFC 7644, 3.4.2.2) without value paths, which Okta doesn't have either.
type expr struct {
	op    string  // and, or, not, or the operator of a comparison, in lower case
	of    []*expr // the operands of and, or and not
	name  string  // the attribute of a comparison
	value literal
}

// literal is the value of a comparison.
type literal struct {
	text string // of a string, or as written
	kind rune   // 's' string, 'n' number, 'b' boolean, '0' null, '?' not JSON; 0: none (pr)
}

// comparisons maps each operator to the kinds of its literals.
var comparisons = map[string]string{
	"eq": "snb0", "ne": "snb0", "co": "s", "sw": "s", "ew": "s", "gt": "sn", "ge": "sn", "lt": "sn", "le": "sn", "pr": "",
}

type filterParser struct {
	tokens       []string
	depth, terms int
}

// parseFilter parses a filter. "not" binds closest, then "and", then "or".
func parseFilter(text string) (*expr, *apiError) {
	switch {
	case len(text) > maxFilter:
		return nil, badSearch(fmt.Sprintf("the expression has more than %d bytes", maxFilter))
	case !utf8.ValidString(text):
		return nil, badSearch("the expression is not UTF-8")
	case strings.Contains(filterToken.ReplaceAllString(text, ""), `"`):
		return nil, badSearch("a string is not terminated: " + quote(text))
	}
	p := &filterParser{tokens: filterToken.FindAllString(text, -1)}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	if len(p.tokens) > 0 {
		return nil, badSearch("want and, or or the end, got " + quote(p.tokens[0]))
	}
	return e, nil
}

// expression parses joined operands.
func (p *filterParser) expression() (*expr, *apiError) {
	return p.joined("or", func() (*expr, *apiError) { return p.joined("and", p.operand) })
}

// filterToken matches parentheses, strings with their quotes, and words.
var filterToken = regexp.MustCompile(`(?s)[()]|"(?:[^"\\]|\\.)*"|[^() \t"]+`)

// next consumes a token. It is "" at the end.
func (p *filterParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

// accept consumes the next token if it is that word, in any case.
func (p *filterParser) accept(word string) bool {
	ok := len(p.tokens) > 0 && strings.EqualFold(p.tokens[0], word)
	if ok {
		p.next()
	}
	return ok
}

// joined parses one or more parts with a word between them.
func (p *filterParser) joined(word string, part func() (*expr, *apiError)) (*expr, *apiError) {
	e := &expr{op: word}
	for len(e.of) == 0 || p.accept(word) {
		one, err := part()
		if err != nil {
			return nil, err
		}
		e.of = append(e.of, one)
	}
	if len(e.of) == 1 {
		return e.of[0], nil
	}
	return e, nil
}

// operand parses a comparison or an expression in parentheses, with or without "not".
func (p *filterParser) operand() (*expr, *apiError) {
	not := len(p.tokens) > 1 && p.tokens[1] == "(" && p.accept("not")
	if !p.accept("(") {
		return p.comparison()
	}
	if p.depth++; p.depth > maxFilterDepth {
		return nil, badSearch(fmt.Sprintf("parentheses are nested more than %d deep", maxFilterDepth))
	}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, badSearch("a parenthesis is not closed")
	}
	p.depth--
	if not {
		e = &expr{op: "not", of: []*expr{e}}
	}
	return e, nil
}

func (p *filterParser) comparison() (*expr, *apiError) {
	if p.terms++; p.terms > maxFilterTerms {
		return nil, badSearch(fmt.Sprintf("there are more than %d comparisons", maxFilterTerms))
	}
	name, op := p.next(), p.next()
	e := &expr{op: strings.ToLower(op), name: name}
	kinds, known := comparisons[e.op]
	if !known || name == "" || strings.ContainsAny(name[:1], `()"`) {
		return nil, badSearch(`want comparisons such as status eq "ACTIVE", got ` + quote(name+" "+op))
	}
	if kinds == "" {
		return e, nil
	}
	raw := p.next()
	if e.value = parseLiteral(raw); !strings.ContainsRune(kinds, e.value.kind) {
		return nil, badSearch(e.op + " can't compare with " + quote(raw))
	}
	return e, nil
}

func parseLiteral(raw string) literal {
	var v any
	if json.Unmarshal([]byte(raw), &v) != nil {
		return literal{raw, '?'}
	}
	switch v := v.(type) {
	case string:
		return literal{v, 's'}
	case float64:
		return literal{raw, 'n'}
	case bool:
		return literal{raw, 'b'}
	case nil:
		return literal{raw, '0'}
	}
	return literal{raw, '?'}
}
