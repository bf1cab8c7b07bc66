// A generated form is replaced by what the server decided after a change. What somebody is typing meanwhile
// in the field that has the focus must not be overwritten.
if (window.Idiomorph) window.Idiomorph.defaults.ignoreActiveValue = true;
