package main_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	samlcheck "github.com/meridian-saml/meridian/examples/samlcheck"
)

// The cost of reading a file is proportional to its size, for any content: lines are not copied repeatedly, and a
// list of empty elements doesn't take many times its size.
func TestInputCostsInProportionToItsSize(t *testing.T) {
	const size = 1 << 17
	list := func(before, one, after string) string {
		return before + strings.Repeat(one+",", size/(len(one)+1)) + one + after
	}
	lines := strings.Repeat(strings.Repeat("A", 76)+"\n", size/77)
	for name, input := range map[string]string{
		"lines in a value":    "SAMLResponse=" + lines,
		"empty lines":         "SAMLResponse=" + strings.Repeat("\n", size/8) + "A",
		"lines of an upload":  `{"log":{"entries":[{"request":{"method":"POST","postData":{"text":"` + strings.ReplaceAll(lines, "\n", `\n`) + `"}}}]}}`,
		"fields":              `{"log":{"entries":[{"request":{"method":"POST","postData":{"text":"SAMLResponse=` + strings.Repeat("&", size) + `"}}}]}}`,
		"entries":             list(`{"log":{"entries":[`, `{}`, `]}}`),
		"params":              list(`{"log":{"entries":[{"request":{"method":"POST","postData":{"params":[`, `{}`, `]}}}]}}`),
		"requests":            list(`{"requests":[`, `{}`, `]}`),
		"pairs":               list(`{"requests":[{"method":"POST","post":[`, `[]`, `]}]}`),
		"POSTs without forms": list(`{"log":{"entries":[`, `{"request":{"method":"POST"}}`, `]}}`),
	} {
		allocated, _ := samlcheck.Find([]byte(input))
		assert.Less(t, allocated, uint64(48*size), name)
	}
}
