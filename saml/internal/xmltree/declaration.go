package xmltree

import "strings"

// declaration is XML 1.0, 2.8: version 1.0, and if it says an encoding,
// UTF-8, because nothing else is read here.
func (r *reader) declaration() error {
	if !strings.HasPrefix(r.s, "<?xml") || len(r.s) == len("<?xml") || class[r.s[len("<?xml")]]&isSpace == 0 {
		return nil // no declaration; another "<?" is refused where it is met
	}
	end := strings.Index(r.s, "?>")
	if end < 0 {
		return syntax("an XML declaration that does not end")
	}
	rest := r.s[len("<?xml"):end]
	for _, p := range []struct {
		name     string
		required bool
		allowed  func(string) bool
	}{
		{"version", true, func(v string) bool { return v == "1.0" }},
		{"encoding", false, func(v string) bool { return strings.EqualFold(v, "UTF-8") }},
		{"standalone", false, func(v string) bool { return v == "yes" || v == "no" }},
	} {
		value, after, ok := pseudoAttribute(rest, p.name)
		switch {
		case !ok && p.required, ok && !p.allowed(value):
			return syntax("an XML declaration other than of version 1.0 in UTF-8")
		case ok:
			rest = after
		}
	}
	if strings.Trim(rest, " \t\n") != "" {
		return syntax("an XML declaration with something else in it")
	}
	r.pos = end + len("?>")
	return nil
}

// pseudoAttribute takes ` name="value"` from the start of s.
func pseudoAttribute(s, name string) (value, rest string, ok bool) {
	trimmed := strings.TrimLeft(s, " \t\n")
	after, found := strings.CutPrefix(trimmed, name)
	if !found || len(trimmed) == len(s) {
		return "", s, false
	}
	after, found = strings.CutPrefix(strings.TrimLeft(after, " \t\n"), "=")
	after = strings.TrimLeft(after, " \t\n")
	if !found || after == "" || after[0] != '"' && after[0] != '\'' {
		return "", s, false
	}
	value, rest, ok = strings.Cut(after[1:], after[:1])
	return value, rest, ok
}
