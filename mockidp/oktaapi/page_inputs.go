package oktaapi

import (
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The constructors of inputs. at returns where the value is.

func textInput[T any](name, label, hint string, at func(*T) *string, words ...string) input[T] {
	return input[T]{name: name, label: label, hint: hint, kind: "text", words: words,
		get: func(t *T) string { return *at(t) },
		set: func(t *T, s string) error { *at(t) = strings.TrimSpace(s); return nil }}
}

func required[T any](in input[T]) input[T] {
	in.required = true
	return in
}

func checkInput[T any](name, label, hint string, at func(*T) *bool) input[T] {
	return input[T]{name: name, label: label, hint: hint, kind: "check",
		get: func(t *T) string {
			if *at(t) {
				return "on"
			}
			return ""
		},
		set: func(t *T, s string) error { *at(t) = s != ""; return nil }}
}

// word is a value of an enumeration, and its text on a page.
type word[E any] struct {
	value E
	text  string
}

func selectInput[T any, E comparable](name, label, hint string, words []word[E], at func(*T) *E,
	about ...string) input[T] {
	in := input[T]{name: name, label: label, hint: hint, kind: "select", words: about}
	key := func(e E) string { return fmt.Sprint(e) }
	for _, w := range words {
		in.options = append(in.options, option{key(w.value), w.text})
	}
	in.get = func(t *T) string { return key(*at(t)) }
	in.set = func(t *T, s string) error {
		i := slices.IndexFunc(words, func(w word[E]) bool { return key(w.value) == s })
		if i < 0 {
			return errors.New("choose one of the list")
		}
		*at(t) = words[i].value
		return nil
	}
	return in
}

// stringWords are the words of a type of strings, the empty one first.
func stringWords[E ~string](none string, values []E, text func(E) string) []word[E] {
	out := []word[E]{{"", none}}
	for _, v := range values {
		out = append(out, word[E]{v, text(v)})
	}
	return out
}

func durationInput[T any](name, label, hint string, at func(*T) *time.Duration, words ...string) input[T] {
	return input[T]{name: name, label: label, hint: hint, kind: "text", words: words,
		get: func(t *T) string {
			if *at(t) == 0 {
				return ""
			}
			return at(t).String()
		},
		set: func(t *T, s string) (err error) {
			*at(t), err = parseDuration(s)
			return err
		}}
}

// parseDuration accepts an empty text, which is 0.
func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(cmp.Or(strings.TrimSpace(s), "0s"))
	if err != nil {
		return 0, fmt.Errorf("want a duration such as 90m, 8h or -1h30m, got %s", quote(s))
	}
	return d, nil
}

// certificatesInput is a text area of PEM certificates.
func certificatesInput[T any](name, label, hint string, most int, at func(*T) []*x509.Certificate,
	put func(*T, []*x509.Certificate), words ...string) input[T] {
	return input[T]{name: name, label: label, hint: hint, kind: "area", words: words,
		get: func(t *T) string { return toPEM(at(t)...) },
		set: func(t *T, s string) error {
			list, err := fromPEM(s)
			if err != nil {
				return err
			}
			if len(list) > most {
				return fmt.Errorf("%d certificates, at most %d", len(list), most)
			}
			put(t, list)
			return nil
		}}
}

func toPEM(list ...*x509.Certificate) string {
	var b strings.Builder
	for _, c := range list {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // a Builder never fails
	}
	return b.String()
}

// fromPEM reads certificates, or the bare base64 of one, as it is in metadata.
func fromPEM(text string) ([]*x509.Certificate, error) {
	rest := []byte(strings.TrimSpace(text))
	if len(rest) > 0 && rest[0] != '-' {
		c, err := certificate("certificate", text)
		if err != nil {
			return nil, errors.New(strings.Join(err.Causes, ", "))
		}
		return []*x509.Certificate{c}, nil
	}
	var out []*x509.Certificate
	for len(rest) > 0 {
		block, after := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("want certificates that begin with -----BEGIN CERTIFICATE-----")
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		out, rest = append(out, c), []byte(strings.TrimSpace(string(after)))
	}
	return out, nil
}

// lines splits the text of an area into its lines that aren't blank.
func lines(s string) []string {
	var out []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSuffix(line, "\n"); strings.TrimSpace(line) != "" {
			out = append(out, line)
		}
	}
	return out
}

// joined is the text of an area whose lines are the values.
func joined(values []string) string { return strings.Join(values, "\n") }

func intInput[T any](name, label, hint string, at func(*T) *int, words ...string) input[T] {
	return input[T]{name: name, label: label, hint: hint, kind: "number", words: words,
		get: func(t *T) string { return strconv.Itoa(*at(t)) },
		set: func(t *T, s string) (err error) {
			if *at(t), err = strconv.Atoi(cmp.Or(strings.TrimSpace(s), "0")); err != nil {
				return fmt.Errorf("want a whole number, got %s", quote(s))
			}
			return nil
		}}
}

func floatInput[T any](name, label, hint string, at func(*T) *float64, words ...string) input[T] {
	return input[T]{name: name, label: label, hint: hint, kind: "text", words: words,
		get: func(t *T) string { return strconv.FormatFloat(*at(t), 'g', -1, 64) },
		set: func(t *T, s string) (err error) {
			if *at(t), err = strconv.ParseFloat(cmp.Or(strings.TrimSpace(s), "0"), 64); err != nil {
				return fmt.Errorf("want a number, got %s", quote(s))
			}
			return nil
		}}
}
