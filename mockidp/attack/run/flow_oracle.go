package run

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// D55: the answer to a ciphertext that can't be decrypted must not reveal which
// step failed.

func oracles() map[string]func(*script) RunResult {
	return map[string]func(*script) RunResult{
		"D55/decryption": oracle("E05/tag", "E05/key", "E05/key-short", "E05/truncated", "E05/empty"),
		"D55/cbc":        oracle("E01/padding-zero", "E01/padding-too-long", "E01/not-xml", "E01/last-block-changed"),
	}
}

// oracle compares the answers to cases that differ only in the step at which
// decryption fails.
func oracle(ids ...string) func(*script) RunResult {
	return func(s *script) RunResult {
		answers := make(map[string][]string)
		for _, c := range s.cases {
			if !slices.Contains(ids, c.ID) {
				continue
			}
			w := way{key: attack.RSA, sign: attack.SignAssertion, encrypted: true}
			if twin := s.twin(s.ctx, c, w); twin.Verdict != Accepted {
				return notRun(twin.Reason)
			}
			var twice [2]string
			for i := range twice {
				if twice[i] = s.answer(c, w); s.err != nil {
					return s.inconclusive()
				}
			}
			answer := common(twice[0], twice[1])
			answers[answer] = append(answers[answer], c.ID)
		}
		if len(answers) < 2 {
			return RunResult{Verdict: Refused}
		}
		var all []string
		for answer, ids := range answers {
			all = append(all, strings.Join(ids, " ")+": "+answer)
		}
		slices.Sort(all)
		return RunResult{
			Verdict: Tolerated, Reason: fmt.Sprintf("%d different answers: %s", len(answers), strings.Join(all, "; ")),
		}
	}
}

// answer posts a case's document in its own sign-in and returns the answer.
func (s *script) answer(c attack.Case, w way) string {
	v := s.begin()
	m, err := c.Make(s.params(v, c, w))
	if err != nil {
		s.fail(err)
	}
	p, err := s.post(v.b, v.form(m.SAMLResponse))
	if err != nil {
		return "no answer"
	}
	return fmt.Sprint(p.status, " ", excerpt(p.body))
}

// common returns the common part of two answers to one case. "*" replaces each
// word that differs or has a digit, such as a random reference or a time.
func common(a, b string) string {
	one, other := strings.Fields(a), strings.Fields(b)
	for i, word := range one {
		if i > 0 && strings.ContainsAny(word, "0123456789") || i < len(other) && word != other[i] {
			one[i] = "*"
		}
	}
	return strings.Join(one, " ")
}
