package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lacking returns the missing flags of a command line that has neither the flags nor the key of a capture.
func (c *capture) lacking() []string {
	out := []string{}
	for _, f := range c.Flags {
		out = append(out, "-"+f)
	}
	if c.Key != "" {
		out = append(out, "-key FILE")
	}
	return out
}

// One run names all missing flags for a capture, or reports that no flag helps.
func TestCapturesNeedOneRun(t *testing.T) {
	dir := captureDir(t)
	for _, c := range loadCaptures(t, false) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			doc := c.document(t, dir)
			r := requireVerdict(t, c.ByDefault, doc, c.args(dir)...)
			if c.Verdict != "accepted" {
				require.Empty(t, r.Missing)
				require.False(t, *r.PassesWithMissing)
				require.Equal(t, c.Verdict, r.Remaining[0].Reason)
				require.True(t, *r.Unreached)
				return
			}
			if c.ByDefault == "accepted" {
				return
			}
			require.ElementsMatch(t, c.lacking(), r.flags())
			require.Empty(t, r.Remaining)
			require.Equal(t, c.Key == "", *r.PassesWithMissing, "what is encrypted is not known")

			_, stdout, _ := run(t, doc, c.args(dir)...)
			for _, f := range c.Flags {
				require.Contains(t, stdout, "\n  -"+f+" would pass this:\n")
			}
		})
	}
}

// With a key that is too short there is no verdict, and still one run names all missing flags.
func TestWeakKeyNeedsOneRun(t *testing.T) {
	dir := captureDir(t)
	for _, c := range loadCaptures(t, false) {
		if c.Key == "" {
			continue
		}
		args := append([]string{"-key", filepath.Join(dir, c.Key)}, c.args(dir)...)
		code, stdout, stderr := run(t, c.document(t, dir), args...)
		require.Equal(t, 2, code)
		require.Empty(t, stdout)
		require.Regexp(
			t,
			`\Asamlcheck: -key [^\n]+sp_key.pem: [^\n]+; -allow-rsa1024 would pass this[^\n]+would pass\n\z`,
			stderr,
		)
		require.Equal(t, slices.Contains(c.Flags, "allow-cbc"), strings.Contains(stderr, "-allow-cbc is needed too"), stderr)
	}
}

// Every flag of a command line is wrong. One run names all of them, in a form that a shell accepts.
func TestEverythingIsMissing(t *testing.T) {
	dir := captureDir(t)
	for _, c := range loadCaptures(t, false) {
		if c.Verdict != "accepted" || c.Key != "" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			doc := c.document(t, dir)
			metadata := []string{"-idp-metadata", filepath.Join(dir, c.IdPMetadata)}
			code, stdout, _ := run(
				t,
				doc,
				append([]string{"-json", "-unsolicited", "-acs", "https://x.example", "-entity-id", "x"}, metadata...)...)
			require.Equal(t, 1, code)
			r := decode(t, stdout)
			require.True(t, *r.PassesWithMissing, stdout)
			require.Empty(t, r.Remaining)
			require.False(t, *r.Unreached)
			args := metadata
			for _, flag := range r.flags() {
				flag = strings.TrimSuffix(flag, " in place of -unsolicited")
				if name, value, ok := strings.Cut(flag, " "); ok {
					args = append(args, name, strings.Trim(value, "'"))
				} else {
					args = append(args, flag)
					require.Contains(t, c.Flags, strings.TrimPrefix(flag, "-"), "no allowance that isn't needed")
				}
			}
			requireVerdict(t, "accepted", doc, args...)
		})
	}
}

// A flag is named, alone and with its value, if it helps.
func TestMissingFlags(t *testing.T) {
	c, dir := named(t, "Google")
	doc, good := c.document(t, dir), c.args(dir)
	one := func(want string, args []string) {
		t.Helper()
		code, stdout, _ := run(t, doc, append([]string{"-json"}, args...)...)
		require.Equal(t, 1, code, stdout)
		r := decode(t, stdout)
		require.Equal(t, []string{want}, r.flags())
		require.True(t, *r.PassesWithMissing)
	}
	noRequest := without(without(good, "-request-id", 1), "-request-id", 1)
	one("-acs "+c.ACS, append(without(good, "-acs", 1), "-acs", "https://other.example/acs"))
	one("-entity-id "+c.EntityID, append(without(good, "-entity-id", 1), "-entity-id", "x"))
	one("-request-id "+c.RequestID, append(noRequest, "-request-id", "_x"))
	one("-request-id "+c.RequestID+" in place of -unsolicited", append(noRequest, "-unsolicited"))
	one("-now 2016-01-05T16:55:39Z", without(good, "-now", 1))
	one("-now 2016-01-05T16:55:39Z", append(without(good, "-now", 1), "-now", "2015-01-01T00:00:00Z"))
	one(
		"-max-age 4m0s",
		append([]string{"-max-age", "1s"}, append(without(good, "-now", 1), "-now", "2016-01-05T16:59:39Z")...),
	)
}

// No flag passes a forged response, and no flag for its other rules is named.
func TestNoFlagHelps(t *testing.T) {
	c, dir := named(t, "Google")
	doc, args := string(c.document(t, dir)), append(without(c.args(dir), "-acs", 1), "-acs", "https://other.example/acs")
	r := requireVerdict(t, "Status", []byte(strings.Replace(doc, "status:Success", "status:Responder", 1)), args...)
	require.Empty(t, r.Missing)
	require.Contains(t, r.Remaining[0].Hint, "Its log has the reason")
	require.True(t, *r.Unreached)
	r = requireVerdict(t, "Signature", []byte(strings.Replace(doc, "ross@octolabs.io", "evil@octolabs.io", 1)), args...)
	require.Empty(t, r.Missing)
	require.NotEmpty(t, r.Remaining[0].Hint)
	require.True(t, *r.Unreached)
}

// For a response without a request, the report says what -unsolicited gives up.
func TestUnsolicitedIsNamedWithItsPrice(t *testing.T) {
	s := newSigner(t)
	s.request = ""
	r := requireVerdict(t, "Unsolicited", s.response(t, ""), s.args(t)...)
	require.Equal(t, []string{"-unsolicited in place of -request-id"}, r.flags())
	require.Contains(t, r.Missing[0].GivesUp, "attacker's account")
}

// A message's values can be copied from the report to a shell.
func TestValuesAreQuotedForTheShell(t *testing.T) {
	s := newSigner(t)
	s.acs = "https://sp.example/acs?a=1&b='$(touch x)"
	args := s.args(t)
	args[slices.Index(args, s.acs)] = "https://sp.example/acs"
	code, stdout, _ := run(t, s.response(t, ""), args...)
	require.Equal(t, 1, code)
	require.Contains(t, stdout, "-acs 'https://sp.example/acs?a=1&b='\\''$(touch x)' would pass this:")
}

// A flag that demands more than the defaults is named as such.
func TestDemandedSignatures(t *testing.T) {
	s := newSigner(t)
	doc := s.response(t, "") // the assertion is signed, and the Response is not
	requireVerdict(t, "accepted", doc, append([]string{"-want-assertions-signed"}, s.args(t)...)...)
	r := requireVerdict(
		t,
		"Unsigned",
		doc,
		append([]string{"-want-assertions-signed", "-want-responses-signed"}, s.args(t)...)...)
	require.Equal(t, []string{"-want-responses-signed=false"}, r.flags())
	require.True(t, *r.PassesWithMissing)
	require.Contains(t, *r.Detail, "-want-responses-signed is set")
}

// Notes tell what was ignored in the metadata.
func TestWarningsOfTheMetadata(t *testing.T) {
	c, dir := named(t, "Google")
	raw, err := os.ReadFile(filepath.Join(dir, c.IdPMetadata))
	require.NoError(t, err)
	at := strings.Index(string(raw), "SingleSignOnService")
	start := strings.LastIndex(string(raw[:at]), "<")
	prefix := string(raw[start+1 : at])
	odd := "<" + prefix + `SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="/relative"/>`
	file := write(t, "metadata.xml", []byte(string(raw[:start])+odd+string(raw[start:])))
	r := requireVerdict(
		t,
		"accepted",
		c.document(t, dir),
		append(without(c.args(dir), "-idp-metadata", 1), "-idp-metadata", file)...)
	require.Len(t, r.Notes, 1)
	require.Contains(t, r.Notes[0], "the identity provider's metadata: ")
}
