package scim

import (
	"encoding/json"
	"strings"
)

// A filterParser reads from left to right, and calls itself for what is in
// parentheses or brackets, at most maxFilterDepth deep.
type filterParser struct {
	rest   string
	schema string
	terms  int
}

// filter reads terms that are joined; and binds closer than or.
func (p *filterParser) filter(depth int, inside bool) (*filter, *Error) {
	return p.joined(opOr, func() (*filter, *Error) {
		return p.joined(opAnd, func() (*filter, *Error) { return p.operand(depth, inside) })
	})
}

func (p *filterParser) joined(op operator, operand func() (*filter, *Error)) (*filter, *Error) {
	first, err := operand()
	if err != nil {
		return nil, err
	}
	all := []*filter{first}
	for p.keyword(op) {
		next, err := operand()
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	if len(all) == 1 {
		return first, nil
	}
	return &filter{op: op, args: all}, nil
}

// operand reads a comparison, a value path, or what is in parentheses.
func (p *filterParser) operand(depth int, inside bool) (*filter, *Error) {
	p.spaces()
	if strings.HasPrefix(p.rest, "(") {
		return p.enclosed(depth, inside, ')')
	}
	word := p.word()
	if after := strings.TrimLeft(p.rest, " "); strings.EqualFold(word, string(opNot)) && strings.HasPrefix(after, "(") {
		p.rest = after
		arg, err := p.enclosed(depth, inside, ')')
		if err != nil {
			return nil, err
		}
		return &filter{op: opNot, args: []*filter{arg}}, nil
	}
	attr, ok := attribute(word, p.schema)
	if !ok {
		return nil, refuse(ReasonInvalidFilter, "filter", "the name of an attribute", word+p.rest)
	}
	if inside || !strings.HasPrefix(p.rest, "[") {
		return p.comparison(attr)
	}
	arg, err := p.enclosed(depth, true, ']')
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(p.rest, ".") {
		if arg, err = p.behind(depth, arg); err != nil {
			return nil, err
		}
	}
	return &filter{op: opValuePath, attr: attr, args: []*filter{arg}}, nil
}

// behind reads the comparison behind a value path and puts it inside.
func (p *filterParser) behind(depth int, arg *filter) (*filter, *Error) {
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
	case arg.op == opOr && depth+1 == maxFilterDepth: // written inside, it has parentheses
		return nil, tooDeep()
	}
	return &filter{op: opAnd, args: []*filter{arg, term}}, nil
}

// enclosed reads a filter between the bracket that comes next and its end.
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

// comparison reads what is asked of an attribute.
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
		return nil, refuse(ReasonInvalidFilter, "value in filter", "a string in double quotes, true, false, null or a number", p.rest)
	}
	return &filter{op: op, attr: attr, value: value}, nil
}

// literal reads a JSON value that is no object and no list.
func (p *filterParser) literal() (value any, ok bool) {
	length := 0
	if strings.HasPrefix(p.rest, `"`) {
		length = stringEnd(p.rest)
	} else if length = strings.IndexAny(p.rest, " )]"); length < 0 {
		length = len(p.rest)
	}
	raw, after := p.rest[:length], p.rest[length:]
	if after != "" && !strings.ContainsRune(" )]", rune(after[0])) {
		return nil, false
	}
	if b, isBool := boolean(raw); isBool {
		value = b
	} else {
		d := json.NewDecoder(strings.NewReader(raw))
		d.UseNumber()
		if !json.Valid([]byte(raw)) || raw[0] == '{' || raw[0] == '[' || d.Decode(&value) != nil {
			return nil, false
		}
	}
	p.rest = after
	return value, true
}

// stringEnd returns the length of the JSON string that s begins with, or 0.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// keyword takes a word that stands between spaces.
func (p *filterParser) keyword(op operator) bool {
	after := strings.TrimLeft(p.rest, " ")
	if n := len(op); after == p.rest || len(after) <= n || !strings.EqualFold(after[:n], string(op)) || after[n] != ' ' {
		return false
	}
	p.rest = after[len(op):]
	return true
}

func (p *filterParser) spaces() { p.rest = strings.TrimLeft(p.rest, " ") }

// word takes what comes before the next space or bracket.
func (p *filterParser) word() string {
	end := strings.IndexAny(p.rest, ` ()[]"`)
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

// boolean reads true and false in any case: Entra ID writes them as Python does.
func boolean(s string) (value, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

// attribute checks the name of an attribute and returns it in lower case and
// without the URN of its own schema, if it has it (RFC 7644 3.10). Names are
// case-insensitive (RFC 7643 2.1), and ASCII: what only becomes ASCII in lower
// case is no name.
func attribute(s, schema string) (string, bool) {
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("$_-.:", c) >= 0) {
			return "", false
		}
	}
	s = strings.TrimPrefix(strings.ToLower(s), strings.ToLower(schema)+":")
	return s, s != ""
}
