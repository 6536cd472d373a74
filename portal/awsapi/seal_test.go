package awsapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsapi"
)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func sealer(t *testing.T, keys ...[]byte) awsapi.Sealer {
	t.Helper()
	s, err := awsapi.NewSealer(keys...)
	require.NoError(t, err)
	return s
}

func reasonOf(t *testing.T, err error) awsapi.Reason {
	t.Helper()
	var e *awsapi.Error
	require.ErrorAs(t, err, &e)
	return e.Reason
}

func TestSealer(t *testing.T) {
	ctx, one := t.Context(), sealer(t, key(1))
	a, err := one.Seal(ctx, []byte("text"), []byte("for this"))
	require.NoError(t, err)
	b, err := one.Seal(ctx, []byte("text"), []byte("for this"))
	require.NoError(t, err)
	assert.NotEqual(t, a, b)
	plain, err := one.Open(ctx, a, []byte("for this"))
	require.NoError(t, err)
	assert.Equal(t, "text", string(plain))

	_, err = one.Open(ctx, a, []byte("for that"))
	require.ErrorIs(t, err, awsapi.ErrNotSealed)
	for i := range a {
		changed := bytes.Clone(a)
		changed[i] ^= 1
		_, err := one.Open(ctx, changed, []byte("for this"))
		require.ErrorIs(t, err, awsapi.ErrNotSealed, "byte %d", i)
		_, err = one.Open(ctx, a[:i], []byte("for this"))
		require.ErrorIs(t, err, awsapi.ErrNotSealed, "cut at %d", i)
	}
	// A change of the key, in three steps.
	for _, keys := range [][][]byte{{key(1), key(2)}, {key(2), key(1)}} {
		plain, err := sealer(t, keys...).Open(ctx, a, []byte("for this"))
		require.NoError(t, err)
		assert.Equal(t, "text", string(plain))
	}
	_, err = sealer(t, key(2)).Open(ctx, a, []byte("for this"))
	require.ErrorIs(t, err, awsapi.ErrNotSealed)
	for _, keys := range [][][]byte{nil, {nil}, {key(1)[:31]}, {key(1), append(key(2), 1)}} {
		_, err := awsapi.NewSealer(keys...)
		assert.Equal(t, awsapi.ReasonConfig, reasonOf(t, err))
	}
}

type broken struct{ awsapi.Sealer }

func (broken) Open(context.Context, []byte, []byte) ([]byte, error) { return nil, errors.New("down") }
func (broken) Seal(context.Context, []byte, []byte) ([]byte, error) { return nil, errors.New("down") }

func TestTokens(t *testing.T) {
	ctx, now := t.Context(), time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	tokens := awsapi.Tokens{
		Sealer: sealer(t, key(1)), Audience: "instance|eu-central-1", Now: func() time.Time { return now },
	}
	token, err := tokens.Seal(ctx, "client", now.Add(time.Minute), map[string]string{"name": "s3cret"})
	require.NoError(t, err)
	assert.Regexp(t, "^[A-Za-z0-9_-]+$", token)
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	assert.NotContains(t, string(raw), "s3cret")
	open := func(tokens awsapi.Tokens, kind, token string) (map[string]string, error) {
		var out map[string]string
		err := tokens.Open(ctx, kind, token, &out)
		return out, err
	}
	out, err := open(tokens, "client", token)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"name": "s3cret"}, out)

	other := tokens
	other.Audience = "instance|us-east-1"
	split := tokens // the same text, divided elsewhere
	split.Audience = "instance|eu-central-"
	for name, c := range map[string]struct {
		tokens      awsapi.Tokens
		kind, token string
	}{
		"another kind":        {tokens, "device", token},
		"another audience":    {other, "client", token},
		"moved into the kind": {split, "1client", token},
		"changed":             {tokens, "client", strings.Replace(token, token[20:21], "_", 1) + "A"},
		"padded":              {tokens, "client", token + "="},
		"with a line break":   {tokens, "client", token + "\n"},
		"empty":               {tokens, "client", ""},
		"long":                {tokens, "client", strings.Repeat("A", 1<<20)},
	} {
		_, err := open(c.tokens, c.kind, c.token)
		assert.Equal(t, awsapi.ReasonToken, reasonOf(t, err), name)
		assert.NotContains(t, err.Error(), token)
	}
	now = now.Add(time.Minute)
	out, err = open(tokens, "client", token)
	assert.Equal(t, awsapi.ReasonExpired, reasonOf(t, err))
	assert.Equal(t, map[string]string{"name": "s3cret"}, out)
	tokens.Sealer = broken{}
	_, err = open(tokens, "client", token)
	assert.Equal(t, awsapi.ReasonUnavailable, reasonOf(t, err))
	_, err = tokens.Seal(ctx, "client", now, 1)
	assert.Equal(t, awsapi.ReasonUnavailable, reasonOf(t, err))
}

func TestPages(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	p := awsapi.Pages{Tokens: awsapi.Tokens{
		Sealer: sealer(t, key(1)), Audience: "x", Now: func() time.Time { return now },
	}}
	list := make([]string, 250)
	for i := range list {
		list[i] = fmt.Sprintf("%03d", i)
	}
	self := func(s string) string { return s }
	for _, size := range []int{0, 1, 3, 50, 99, 100} {
		var got []string
		for token, n := "", 0; ; n++ {
			page, next, err := awsapi.Page(ctx, p, list, self, size, token, "ListAccounts", "alice")
			require.NoError(t, err)
			got = append(got, page...)
			if next == "" {
				break
			}
			require.Len(t, page, map[bool]int{true: 100, false: size}[size == 0])
			token = next
		}
		assert.Equal(t, list, got, size)
	}
	page, token, err := awsapi.Page(ctx, p, list, self, 10, "", "ListAccounts", "alice")
	require.NoError(t, err)
	assert.Equal(t, "009", page[9])
	// Elements that came or went meanwhile.
	changed := append([]string{"000", "0095"}, list[30:]...)
	page, _, err = awsapi.Page(ctx, p, changed, self, 2, token, "ListAccounts", "alice")
	require.NoError(t, err)
	assert.Equal(t, []string{"0095", "030"}, page)
	page, next, err := awsapi.Page(ctx, p, nil, self, 2, token, "ListAccounts", "alice")
	require.NoError(t, err)
	assert.Empty(t, page)
	assert.Empty(t, next)
	for name, c := range map[string]struct {
		size    int
		token   string
		request []string
	}{
		"another user":      {10, token, []string{"ListAccounts", "bob"}},
		"another operation": {10, token, []string{"ListAccountRoles", "alice"}},
		"joined parts":      {10, token, []string{"ListAccounts alice"}},
		"one part more":     {10, token, []string{"ListAccounts", "alice", ""}},
		"no token":          {10, "x", []string{"ListAccounts", "alice"}},
		"negative":          {-1, "", []string{"ListAccounts", "alice"}},
		"too large":         {101, "", []string{"ListAccounts", "alice"}},
	} {
		_, _, err := awsapi.Page(ctx, p, list, self, c.size, c.token, c.request...)
		assert.Equal(t, awsapi.ReasonInput, reasonOf(t, err), name)
	}
	now = now.Add(24*time.Hour + time.Second)
	_, _, err = awsapi.Page(ctx, p, list, self, 10, token, "ListAccounts", "alice")
	assert.Equal(t, awsapi.ReasonInput, reasonOf(t, err))
	p.Tokens.Sealer = broken{}
	_, _, err = awsapi.Page(ctx, p, list, self, 10, token, "ListAccounts", "alice")
	assert.Equal(t, awsapi.ReasonUnavailable, reasonOf(t, err))
}
