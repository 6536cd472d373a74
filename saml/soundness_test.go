package saml_test

import (
	"bytes"
	"encoding/xml"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// Soundness: a valid signed response that was changed anywhere is refused, or has
// exactly the same values as before.

// said calls every method of an Assertion that has no parameters, by reflection, and
// then the others.
func said(a *saml.Assertion) []any {
	var out []any
	v := reflect.ValueOf(a)
	for i := range v.NumMethod() {
		if m := v.Method(i); m.Type().NumIn() == 0 {
			for _, r := range m.Call(nil) {
				out = append(out, r.Interface())
			}
		}
	}
	for _, name := range []string{
		"groups", "targeted", "empty", "odd", "attribute0", "attribute1", "attribute2", "role", "",
	} {
		out = append(out, a.Values(name), a.Value(name))
	}
	return out
}

// unsaid is where in said the ResponseID is. It is the one value that no signature
// covers where the Response isn't signed, as its comment says.
var unsaid = func() int {
	n := 0
	for t, i := reflect.TypeFor[*saml.Assertion](), 0; ; i++ {
		switch m := t.Method(i); {
		case m.Name == "ResponseID":
			return n
		case m.Type.NumIn() == 1:
			n += m.Type.NumOut()
		}
	}
}()

// different returns the first value of a mutant that differs from the original's, or
// "".
func (o original) different(mutant []byte, a *saml.Assertion) string {
	got := said(a)
	for i, want := range o.values {
		if reflect.DeepEqual(want, got[i]) || i == unsaid && !responseSigned(mutant) {
			continue
		}
		return strings.TrimSpace(strings.Join([]string{strconv.Itoa(i), "want", toText(want), "got", toText(got[i])}, " "))
	}
	return ""
}

func toText(v any) string {
	return strings.ReplaceAll(reflect.TypeOf(v).String()+":", "\n", " ") + quoteAny(v)
}

func quoteAny(v any) string {
	b, err := xml.Marshal(struct{ V any }{v})
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// responseSigned looks by other means than the library's.
func responseSigned(doc []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(doc))
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return false
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 1 && token.Name.Local == "Signature" {
				return true
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

// pickOriginal picks encrypted originals less often. They cost as much as twenty
// others, and differ only in the encryption.
func pickOriginal(all []original, c chance) original {
	for {
		o := all[c.pick(len(all))]
		if !strings.HasPrefix(o.name, "encrypted") || c.pick(20) == 0 {
			return o
		}
	}
}

// verify reports whether a mutant is accepted, and fails if its values then differ
// from the original's.
func (o original) verify(t *testing.T, sp *saml.ServiceProvider, mutant []byte, done []string) bool {
	mutant = o.response(mutant)
	a, err := sp.VerifyXML(mutant, anyExpect)
	if err != nil {
		if a != nil {
			t.Fatalf("an error and an assertion: %v\n%s", err, mutant)
		}
		return false
	}
	if d := o.different(mutant, a); d != "" {
		t.Errorf("%s, after %q: it says something else: %s\n%s", o.name, done, d, mutant)
	}
	return true
}

// TestSoundness makes mutants by chance: 10,000, or as many as
// MERIDIAN_SOUNDNESS says ("10000000", or with another seed "10000000,7").
func TestSoundness(t *testing.T) {
	count, seed := 10_000, uint64(1)
	if asked := os.Getenv("MERIDIAN_SOUNDNESS"); asked != "" {
		n, s, found := strings.Cut(asked, ",")
		var err error
		count, err = strconv.Atoi(n)
		require.NoError(t, err)
		if found {
			seed, err = strconv.ParseUint(s, 10, 64)
			require.NoError(t, err)
		}
	}
	sp := soundSP(t)
	c := chance{rand.New(rand.NewPCG(seed, 0))}
	m := new(mutator)
	classes, details, per := map[string]int{}, map[string]int{}, map[string]int{}
	accepted, same := 0, 0
	for made := 0; made < count && !t.Failed(); {
		o := pickOriginal(originals(t), c)
		mutant := m.mutate(o.doc, c)
		if bytes.Equal(mutant, o.doc) {
			same++
			continue
		}
		made++
		if !o.verify(t, sp, mutant, m.done) {
			continue
		}
		accepted++
		per[o.name]++
		for _, done := range m.done {
			details[done]++
		}
		if len(m.done) == 1 {
			classes[class(o, m.done[0])]++
		} else {
			classes["several at once"]++
		}
	}
	t.Logf(
		"seed %d: %d mutants (and %d that changed nothing), %d accepted, all saying what the original says",
		seed,
		count,
		same,
		accepted,
	)
	logCounts(t, "by original", per)
	logCounts(t, "by class", classes)
	logCounts(t, "by what was done, and where, each by itself", details)
	require.Greater(t, accepted, count/1000, "mutations that don't matter are among them, or this shows nothing")
}

// class sorts what doesn't matter: parts that no signature covers, and other ways to
// write what canonicalisation makes the same.
func class(o original, done string) string {
	i := strings.LastIndex(done, ", ")
	op, place := done[:i], done[i+2:]
	signed := responseSigned(o.doc)
	switch {
	case place == "KeyInfo":
		return "in KeyInfo"
	case place == "outside the root":
		return "outside the root element"
	case (place == "Response" || place == "Status") && !signed:
		return "in parts of the Response that are not signed"
	case place == "Signature", place == "SignatureValue":
		return "in the Signature outside SignedInfo: " + op
	}
	return "in what is signed: " + op
}

func logCounts(t *testing.T, title string, counts map[string]int) {
	t.Log(title)
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return counts[b] - counts[a] })
	for _, name := range names {
		t.Logf("%9d  %s", counts[name], name)
	}
}

// Each kind of mutation does something to some document, so that none is dead.
func TestEveryMutationIsUsed(t *testing.T) {
	used := map[string]bool{}
	c := chance{rand.New(rand.NewPCG(2, 0))}
	m := new(mutator)
	for range 5_000 {
		m.mutate(originals(t)[c.pick(len(originals(t)))].doc, c)
		for _, done := range m.done {
			name, place, _ := strings.Cut(done, ", ")
			require.NotEmpty(t, place)
			used[name] = true
		}
	}
	for _, op := range mutations {
		name, _, _ := strings.Cut(op.name, ", ")
		require.True(t, used[name], op.name)
	}
}

// The checker detects another user's assertion.
func TestSoundnessNotices(t *testing.T) {
	o := originals(t)[0]
	other := doc{Attributes: attributesOf(1, 1)}
	x := other.xml(t)
	require.NotEmpty(t, o.different(x, mustVerify(t, x)))
	require.Empty(t, o.different(o.doc, mustVerify(t, o.doc)))
	require.True(t, responseSigned(originals(t)[4].doc))
	require.False(t, responseSigned(o.doc))
}

func mustVerify(t testing.TB, x []byte) *saml.Assertion {
	a, err := soundSP(t).VerifyXML(x, anyExpect)
	require.NoError(t, err)
	return a
}

// FuzzSoundness lets the fuzzer choose what is done to which response.
func FuzzSoundness(f *testing.F) {
	for i := range len(originals(f)) {
		for op := range len(mutations) {
			f.Add(byte(i), []byte{byte(op), 7, 3, 1, 5, 2})
		}
	}
	sp := soundSP(f)
	f.Fuzz(func(t *testing.T, which byte, choices []byte) {
		o := originals(t)[int(which)%len(originals(t))]
		m := new(mutator)
		mutant := m.mutate(o.doc, &program{choices})
		o.verify(t, sp, mutant, m.done)
	})
}
