package attack_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// good are the good messages with their own vector. Each is the twin of the
// case that it names. The other twins are accepted cases.
var good = func() (out []struct{ of, id, comment string }) {
	text, err := os.ReadFile("testdata/good.txt")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " | ", 3)
		out = append(out, struct{ of, id, comment string }{f[0], f[1], f[2]})
	}
	return out
}()

// twins finds for each case the accepted vector that differs from it by its attack
// alone: another case's, or a good message's.
type twins map[string]string // IDs, by a document and its settings

// newTwins indexes the accepted cases and the good messages.
func newTwins(t *testing.T) twins {
	t.Helper()
	w := make(twins)
	for _, c := range attack.Cases() {
		if c.Outcome.Accepted() {
			m, err := c.Make(repeatable(c, c.Needs))
			require.NoError(t, err, c.ID)
			w[settled(c.Needs, m)] = c.ID
		}
	}
	for _, c := range attack.Cases() {
		if g := goodOf(c.ID); g >= 0 {
			n, m := twinOf(t, c)
			w[settled(n, m)] = good[g].id // B38/absent, which has the same document, comes second
		}
	}
	return w
}

func (w twins) of(t *testing.T, c attack.Case) string {
	t.Helper()
	id := w[settled(twinOf(t, c))]
	require.NotEmpty(t, id, "no vector is the twin of %s; add a good one", c.ID)
	require.NotEqual(t, c.ID, id)
	return id
}

// twinOf returns c's twin. If only the needs differ, it is the message without
// needs.
func twinOf(t *testing.T, c attack.Case) (attack.Needs, attack.Message) {
	t.Helper()
	n := c.TwinNeeds()
	if slices.Contains(sameDocument, c.ID) {
		n = attack.Needs{}
	}
	m, err := c.Twin(repeatable(c, n))
	require.NoError(t, err, c.ID)
	return n, m
}

// repeatable returns params with the same randomness for all cases.
func repeatable(c attack.Case, n attack.Needs) attack.Params {
	p := params(c, n)
	p.Rand = rand.NewChaCha8([32]byte{})
	return p
}

// settled returns a message with all its settings.
func settled(n attack.Needs, m attack.Message) string {
	return string(vector(about{}, attack.Outcome{}, n, m)) + string(m.SAMLResponse)
}

func goodOf(id string) int {
	for i, g := range good {
		if g.of == id {
			return i
		}
	}
	return -1
}
