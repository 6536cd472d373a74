package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// printable returns a text on one line, without terminal control sequences.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// indented returns a value as JSON whose lines, but for the first, begin with prefix. It has no terminal control
// sequences. The value must have no unsupported types.
func indented(v any, prefix string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return printableJSON(strings.TrimSuffix(b.String(), "\n"))
}

// printableJSON escapes what encoding/json leaves: the control characters above ASCII, and others that a terminal
// doesn't show as they are. Outside strings there are none of these.
func printableJSON(s string) string {
	shown := func(r rune) bool { return r == '\n' || unicode.IsPrint(r) }
	if strings.IndexFunc(s, func(r rune) bool { return !shown(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if shown(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			text := strconv.FormatUint(0x10000|uint64(unit), 16)
			b.WriteString(`\u` + text[1:])
		}
	}
	return b.String()
}
