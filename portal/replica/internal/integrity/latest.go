package integrity

import (
	"strconv"
	"strings"
)

// Latest is the number of the Region's last start, whichever Node made it. 0:
// none.
func (d *Identity) Latest() uint64 {
	if n := len(d.Generations); n > 0 {
		return d.Generations[n-1].Number
	}
	return 0
}

// NumberIn is the number of the start in which a token was made, as the token
// says. Only the Region that made it can check that. 0: it isn't a token.
func NumberIn(token string) uint64 {
	digits, _, _ := strings.Cut(token, ".")
	number, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return number
}
