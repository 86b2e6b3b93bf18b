#include "CCommit.h"

#ifndef VIDCLASS_COMMIT
#define VIDCLASS_COMMIT
#endif

// Package.swift defines the bare word, which needs no quotes on the way here.
#define TEXT(word) TEXT_(word)
#define TEXT_(word) #word

const char *vc_commit(void) { return TEXT(VIDCLASS_COMMIT); }
