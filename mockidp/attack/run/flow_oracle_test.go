package run

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAnswersThatDifferInAReferenceAloneAreTheSame(t *testing.T) {
	const digit, letters = "403 Not signed in. Reference: KQ7F-2M", "403 Not signed in. Reference: ABCD-EF"
	with := common(digit, letters)
	assert.Equal(t, with, common("403 Not signed in. Reference: GHJK-LM", letters), "a reference without a digit")
	assert.Equal(t, with, common(digit, digit), "the same time twice")
	assert.NotEqual(t, with, common("403 Bad padding. Reference: KQ7F-2M", "403 Bad padding. Reference: ABCD-EF"))
	assert.NotEqual(t, with, common("500 Not signed in. Reference: KQ7F-2M", "500 Not signed in. Reference: ABCD-EF"))
}
