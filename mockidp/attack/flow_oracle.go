package attack

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// D55: the answer to what can't be read must not say how far the reading got.

func oracles() []flow {
	return []flow{
		{id: "D55/decryption", title: "different answers to ciphertexts that can't be read", run: oracle("E05/tag", "E05/key", "E05/key-short", "E05/truncated", "E05/empty"), needs: anEncryptionKey},
		{id: "D55/cbc", title: "different answers to CBC paddings that don't hold, and to what is not XML", run: oracle("E01/padding-zero", "E01/padding-too-long", "E01/not-xml", "E01/last-block-changed"), needs: anEncryptionKey},
	}
}

// reference is what pages put into their answers to tell them apart.
var reference = regexp.MustCompile(`[0-9A-Za-z_-]*[0-9][0-9A-Za-z_:.-]*`)

// oracle compares the answers to cases that differ in what can't be read.
func oracle(ids ...string) func(context.Context, *runner) RunResult {
	return func(ctx context.Context, r *runner) RunResult {
		answers := make(map[string][]string)
		for _, c := range Cases() {
			if !slices.Contains(ids, c.ID) {
				continue
			}
			w := way{key: RSA, sign: SignAssertion, encrypted: true}
			if t := r.twin(ctx, c, w); t.result.Verdict != Accepted {
				return RunResult{Verdict: NotRun, Reason: t.result.Reason}
			}
			v, err := r.begin(ctx)
			if err != nil {
				return open("%v", err)
			}
			m, err := c.Make(r.params(v, c, w))
			if err != nil {
				return open("%v", err)
			}
			p, err := v.post(ctx, m.SAMLResponse)
			said := fmt.Sprint(p.status, " ", reference.ReplaceAllString(excerpt(p.body), "*"))
			if err != nil {
				said = "no answer"
			}
			answers[said] = append(answers[said], c.ID)
		}
		if len(answers) < 2 {
			return RunResult{Verdict: Refused}
		}
		var all []string
		for said, by := range answers {
			all = append(all, strings.Join(by, " ")+": "+said)
		}
		slices.Sort(all)
		return RunResult{Verdict: Tolerated, Reason: fmt.Sprintf("%d different answers: %s", len(answers), strings.Join(all, "; "))}
	}
}
