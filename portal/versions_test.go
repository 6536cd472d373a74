package portal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal"
)

// only drops the other members of a JSON object. It returns other values unchanged.
func only(raw []byte, names ...string) []byte {
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return raw
	}
	for name := range all {
		if !slices.Contains(names, name) {
			delete(all, name)
		}
	}
	out, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return out
}

// olderCodes are the Codes of a Region with an older version, whose grants have fewer members.
type olderCodes struct{ portal.Codes }

func (c olderCodes) TakeCode(ctx context.Context, key string) ([]byte, string, error) {
	v, from, err := c.Codes.TakeCode(ctx, key)
	if err != nil {
		return nil, "", err
	}
	v = only(v, "to", "state", "until", "region", "sign_in", "user_id", "user_name", "proof", "expires", "epoch")
	return v, from, nil
}

// olderStore is a Region's store in which a node with an older version keeps its sign-ins.
type olderStore struct{ acs.Store }

func (s olderStore) Take(ctx context.Context, key string) ([]byte, error) {
	v, err := s.Store.Take(ctx, key)
	if err != nil || !bytes.Contains(v, []byte(`"session_end"`)) {
		return v, err
	}
	return only(v, "user_id", "user_name", "proof", "session_end", "return_to", "unsolicited", "until", "epoch", "asked",
		"waits", "sign_in"), nil
}

// Versions can be mixed during an upgrade: the JSON of codes and of pending sign-ins has the members of older versions.
func TestRecordsOfOlderVersions(t *testing.T) {
	w, s := newShared(t, func(c *portal.Config) {
		c.Store, c.Codes = olderStore{acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now})}, olderCodes{c.Codes}
	})
	require.NoError(t, w.idp.UpdateApp("", func(a *mockidp.App) error { a.SessionLifetime = time.Hour; return nil }))
	b := w.browser()
	requirePage(t, w.signIn(b, "https://"+virginia+"/applications", "alice@example.com"), 200, "/applications", "Wiki")
	requirePage(t, b.get(fromVirginia), 200, "/", "Alice Adams")
	list, err := s.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	require.Len(t, list, 2)
	for _, session := range list {
		assert.WithinDuration(t, w.clock.Now().Add(time.Hour), session.Expires, time.Minute, "SessionNotOnOrAfter")
		assert.NotZero(t, session.Proof)
	}
	assert.Equal(t, list[0].SignIn, list[1].SignIn)
	requirePage(t, b.submit("https://"+frankfurt+"/sign-out", url.Values{}), 200, "/signed-out")
	assert.Zero(t, s.sessions.Len())
}

// Every Reason has a text, except for those whose text must not tell unknown users from inactive ones.
func TestEveryReasonHasAText(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	require.NoError(t, err)
	var want []string
	for _, m := range regexp.MustCompile(`\tReason\w+ +Reason = "(\w+)"`).FindAllSubmatch(source, -1) {
		if name := string(m[1]); !slices.Contains([]string{"Config", "UnknownUser", "InactiveUser"}, name) {
			want = append(want, name)
		}
	}
	require.Greater(t, len(want), 10)
	raw, err := os.ReadFile("refusals.json")
	require.NoError(t, err)
	var texts []struct {
		Reasons                   []string
		Status, RetryAfter        int
		Title, Text, Action, Href string
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&texts))
	var got []string
	for i, text := range texts {
		assert.Equal(t, i == 0, len(text.Reasons) == 0, "the first is for all other Reasons")
		assert.NotContains(t, []string{text.Title, text.Text, text.Action}, "")
		assert.Regexp(t, `^/(login)?$`, text.Href)
		assert.True(t, 400 <= text.Status && text.Status < 600, text.Title)
		got = append(got, text.Reasons...)
	}
	assert.ElementsMatch(t, want, got)
}
