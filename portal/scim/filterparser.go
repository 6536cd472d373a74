package scim

import (
	"encoding/json"
	"strings"
)

// A filterParser is a recursive descent parser. It recurses only for parentheses and brackets, at most maxFilterDepth
// deep.
type filterParser struct {
	rest   string
	schema string
	terms  int
}

// filter parses terms that are joined by "and" and "or". "and" has precedence. inside is whether the filter is in
// brackets, which can't contain further brackets.
func (p *filterParser) filter(depth int, inside bool) (*filter, *Error) {
	return p.joined(opOr, func() (*filter, *Error) {
		return p.joined(opAnd, func() (*filter, *Error) { return p.operand(depth, inside) })
	})
}

func (p *filterParser) joined(op operator, operand func() (*filter, *Error)) (*filter, *Error) {
	var all []*filter
	for len(all) == 0 || p.keyword(op) {
		next, err := operand()
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return &filter{op: op, args: all}, nil
}

// operand parses a comparison, a value path or a filter in parentheses.
func (p *filterParser) operand(depth int, inside bool) (*filter, *Error) {
	p.spaces()
	if strings.HasPrefix(p.rest, "(") {
		return p.enclosed(depth, inside, ')')
	}
	word := p.word()
	if after := strings.TrimLeft(p.rest, " "); strings.EqualFold(word, "not") && strings.HasPrefix(after, "(") {
		p.rest = after
		arg, err := p.enclosed(depth, inside, ')')
		return &filter{op: opNot, args: []*filter{arg}}, err
	}
	attr, ok := attribute(word, p.schema)
	if !ok {
		return nil, refuse(ReasonInvalidFilter, "filter", "the name of an attribute", word+p.rest)
	}
	if inside || !strings.HasPrefix(p.rest, "[") {
		return p.comparison(attr)
	}
	arg, err := p.enclosed(depth, true, ']')
	if err == nil && strings.HasPrefix(p.rest, ".") {
		arg, err = p.afterValuePath(depth, arg)
	}
	return &filter{op: opValuePath, attr: attr, args: []*filter{arg}}, err
}

// afterValuePath parses the comparison after a value path and joins it with the filter in the brackets.
func (p *filterParser) afterValuePath(depth int, arg *filter) (*filter, *Error) {
	p.rest = p.rest[1:]
	sub := p.word()
	attr, ok := attribute(sub, "")
	if !ok {
		return nil, refuse(ReasonInvalidFilter, "filter", "the name of a sub-attribute", sub+p.rest)
	}
	term, err := p.comparison(attr)
	switch {
	case err != nil:
		return nil, err
	case arg.op == opAnd:
		return &filter{op: opAnd, args: append(arg.args[:len(arg.args):len(arg.args)], term)}, nil
	case arg.op == opOr && depth+1 == maxFilterDepth: // inside the brackets it would need parentheses
		return nil, tooDeep()
	}
	return &filter{op: opAnd, args: []*filter{arg, term}}, nil
}

// enclosed parses a filter in brackets. The opening bracket is next; end is the closing one.
func (p *filterParser) enclosed(depth int, inside bool, end byte) (*filter, *Error) {
	if depth == maxFilterDepth {
		return nil, tooDeep()
	}
	p.rest = p.rest[1:]
	f, err := p.filter(depth+1, inside)
	if err != nil {
		return nil, err
	}
	if p.spaces(); p.rest == "" || p.rest[0] != end {
		return nil, refuse(ReasonInvalidFilter, "filter", `"and", "or" or `+string(end), p.rest)
	}
	p.rest = p.rest[1:]
	return f, nil
}

func tooDeep() *Error {
	return refuse(ReasonTooMany, "filter", "parentheses and brackets nested at most 8 deep", "")
}

// comparison parses the operator and the value after an attribute.
func (p *filterParser) comparison(attr string) (*filter, *Error) {
	if p.terms++; p.terms > maxTerms {
		return nil, refuse(ReasonTooMany, "filter", "at most 8 terms", "")
	}
	p.spaces()
	word := p.word()
	op := operator(strings.ToLower(word))
	if op == opPresent {
		return &filter{op: op, attr: attr}, nil
	}
	if comparisons[op] == nil {
		return nil, refuse(ReasonInvalidFilter, "operator in filter", "one of eq, ne, co, sw, ew, gt, ge, lt, le, pr", word)
	}
	if !strings.HasPrefix(p.rest, " ") {
		return nil, refuse(ReasonInvalidFilter, "filter", "a space after the operator", p.rest)
	}
	p.spaces()
	value, ok := p.literal()
	if !ok {
		const want = "a string in double quotes, true, false, null or a number"
		return nil, refuse(ReasonInvalidFilter, "value in filter", want, p.rest)
	}
	return &filter{op: op, attr: attr, value: value}, nil
}

// literal parses a JSON value that is not an object or a list, or a boolean in any case.
func (p *filterParser) literal() (value any, ok bool) {
	after := p.rest
	if b, isBool := boolean(p.word()); isBool {
		value, after = b, p.rest
	} else {
		p.rest = after
		d := json.NewDecoder(strings.NewReader(after))
		d.UseNumber()
		if d.Decode(&value) != nil {
			return nil, false
		}
		after = after[d.InputOffset():]
	}
	switch value.(type) {
	case map[string]any, []any:
		return nil, false
	}
	if after != "" && !strings.ContainsRune(" )]", rune(after[0])) {
		return nil, false
	}
	p.rest = after
	return value, true
}

// keyword consumes op if it is next, between spaces.
func (p *filterParser) keyword(op operator) bool {
	after := strings.TrimLeft(p.rest, " ")
	if n := len(op); after == p.rest || len(after) <= n || !strings.EqualFold(after[:n], string(op)) || after[n] != ' ' {
		return false
	}
	p.rest = after[len(op):]
	return true
}

func (p *filterParser) spaces() { p.rest = strings.TrimLeft(p.rest, " ") }

// word consumes everything up to the next space, quote or bracket.
func (p *filterParser) word() string {
	end := strings.IndexAny(p.rest, ` ()[]"`)
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

// boolean parses true and false in any case: Entra ID writes True and False.
func boolean(s string) (value, ok bool) {
	value = strings.EqualFold(s, "true")
	return value, value || strings.EqualFold(s, "false")
}

// attribute checks the name of an attribute. It returns the name in lower case and without the URN of its own schema
// (RFC 7644 3.10). Names are case-insensitive and ASCII (RFC 7643 2.1). A non-ASCII letter is refused even if its lower
// case is ASCII.
func attribute(s, schema string) (string, bool) {
	for _, c := range []byte(s) {
		letter, digit := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z', c >= '0' && c <= '9'
		if !letter && !digit && strings.IndexByte("$_-.:", c) < 0 {
			return "", false
		}
	}
	s = strings.TrimPrefix(strings.ToLower(s), strings.ToLower(schema)+":")
	return s, s != ""
}
