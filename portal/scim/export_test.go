package scim

import (
	"encoding/json"
	"strings"
)

// Waiting returns how many changes wait for the next update.
func (s *Server) Waiting() int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.queue)
}

// FlushInTurn makes the changes that wait, while the turn is already the next update's. It returns the function that
// ends that turn.
func (s *Server) FlushInTurn() (end func()) {
	w := s.writer
	w.mu.Lock()
	batch := w.queue
	w.queue = nil
	w.mu.Unlock()
	w.flush(batch)
	return func() { <-w.turn }
}

// TakeTurn takes the turn of the next update.
func (s *Server) TakeTurn() { s.writer.turn <- struct{}{} }

// Fold is fold.
var Fold = fold

// Filter is filter.
type Filter = filter

// ParseFilter is parseFilter, for users.
func ParseFilter(s string) (*Filter, *Error) { return parseFilter(s, schemaUser) }

// PrintFilter returns a filter in parseFilter's syntax, with as few parentheses as
// possible.
func PrintFilter(f *Filter) string {
	switch f.op {
	case opAnd, opOr:
		args := make([]string, len(f.args))
		for i, arg := range f.args {
			args[i] = PrintFilter(arg)
			if arg.op == opOr || arg.op == f.op {
				args[i] = "(" + args[i] + ")"
			}
		}
		return strings.Join(args, " "+string(f.op)+" ")
	case opNot:
		return "not (" + PrintFilter(f.args[0]) + ")"
	case opValuePath:
		return f.attr + "[" + PrintFilter(f.args[0]) + "]"
	case opPresent:
		return f.attr + " pr"
	}
	value, err := json.Marshal(f.value)
	if err != nil {
		panic(err)
	}
	return f.attr + " " + string(f.op) + " " + string(value)
}
