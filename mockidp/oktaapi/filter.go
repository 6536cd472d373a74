package oktaapi

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What a filter may be. Honest ones are nowhere near, and what is evaluated for
// every member of a list has to be small.
const (
	maxFilter      = 2 << 10 // bytes
	maxFilterTerms = 50
	maxFilterDepth = 16 // of parentheses
)

// expr is a filter of SCIM's (RFC 7644, 3.4.2.2) without its brackets for
// multi-valued attributes, which Okta hasn't either.
type expr struct {
	op    string  // and, or, not, or the operator of a comparison, in lower case
	of    []*expr // what and, or and not are about
	name  string  // of the attribute that is compared
	value literal
}

// literal is what an attribute is compared with.
type literal struct {
	text string // of a string, or as it was written
	kind rune   // 's' a string, 'n' a number, 'b' true or false, '0' null, 0 nothing: pr
}

// comparisons are the operators, and the kinds of literals that go with them.
var comparisons = map[string]string{"eq": "snb0", "ne": "snb0", "co": "s", "sw": "s", "ew": "s", "gt": "sn", "ge": "sn", "lt": "sn", "le": "sn", "pr": ""}

type filterParser struct {
	tokens       []string
	depth, terms int
}

// parseFilter reads an expression. "not" binds closest, then "and", then "or".
func parseFilter(text string) (*expr, *apiError) {
	switch {
	case len(text) > maxFilter:
		return nil, badSearch("the expression is longer than " + strconv.Itoa(maxFilter) + " bytes")
	case !utf8.ValidString(text):
		return nil, badSearch("the expression is not UTF-8")
	}
	tokens, err := filterTokens(text)
	if err != nil {
		return nil, err
	}
	p := &filterParser{tokens: tokens}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	if len(p.tokens) > 0 {
		return nil, badSearch("this is left over: " + quote(p.tokens[0]))
	}
	return e, nil
}

// expression is what may stand in parentheses.
func (p *filterParser) expression() (*expr, *apiError) {
	return p.joined("or", func() (*expr, *apiError) { return p.joined("and", p.operand) })
}

var filterToken = regexp.MustCompile(`(?s)[()]|"(?:[^"\\]|\\.)*"|[^() \t"]+`)

// filterTokens are parentheses, strings with their quotes, and words.
func filterTokens(text string) ([]string, *apiError) {
	if strings.Contains(filterToken.ReplaceAllString(text, ""), `"`) {
		return nil, badSearch("a string has no end: " + quote(text))
	}
	return filterToken.FindAllString(text, -1), nil
}

// next takes a token, "" at the end.
func (p *filterParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

// peek says that the next token is that word, whatever its case.
func (p *filterParser) peek(word string) bool {
	return len(p.tokens) > 0 && strings.EqualFold(p.tokens[0], word)
}

// joined reads one or more parts with a word between them.
func (p *filterParser) joined(word string, part func() (*expr, *apiError)) (*expr, *apiError) {
	first, err := part()
	if err != nil || !p.peek(word) {
		return first, err
	}
	e := &expr{op: word, of: []*expr{first}}
	for p.peek(word) {
		p.next()
		another, err := part()
		if err != nil {
			return nil, err
		}
		e.of = append(e.of, another)
	}
	return e, nil
}

// operand is a comparison, or a whole expression in parentheses, with or
// without "not" before them.
func (p *filterParser) operand() (*expr, *apiError) {
	not := p.peek("not") && len(p.tokens) > 1 && p.tokens[1] == "("
	if not {
		p.next()
	}
	if !p.peek("(") {
		return p.comparison()
	}
	p.next()
	if p.depth++; p.depth > maxFilterDepth {
		return nil, badSearch("parentheses are nested deeper than " + strconv.Itoa(maxFilterDepth))
	}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.next() != ")" {
		return nil, badSearch("a parenthesis isn't closed")
	}
	p.depth--
	if not {
		e = &expr{op: "not", of: []*expr{e}}
	}
	return e, nil
}

func (p *filterParser) comparison() (*expr, *apiError) {
	if p.terms++; p.terms > maxFilterTerms {
		return nil, badSearch("there are more than " + strconv.Itoa(maxFilterTerms) + " comparisons")
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
	if e.value = readLiteral(raw); !strings.ContainsRune(kinds, e.value.kind) {
		return nil, badSearch(e.op + " can't compare with " + quote(raw))
	}
	return e, nil
}

// readLiteral has the kind '?' for what JSON doesn't know.
func readLiteral(raw string) literal {
	var v any
	if raw == "" || json.Unmarshal([]byte(raw), &v) != nil {
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
	return literal{raw, '?'} // a token can't be a list or an object
}
