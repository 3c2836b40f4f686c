/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* What words of QEMU's or of the kernel's mean here. */
typedef struct {
	const char *id;	    /* short and stable: "memlock" */
	const char *any[4]; /* one of them is in the line, in whatever case; fewer end with NULL */
	const char *and_needle; /* and this; NULL: one of those is enough */
	const char *meaning; /* cause and remedy; several causes are joined by "either" and "or" */
	gboolean mild;	     /* QEMU may go on after it: whatever else it says counts more */
	gboolean kernel_knows; /* several causes, of which the kernel's log may name one */
} HvrDiagnosis;

typedef struct {
	const HvrDiagnosis *rows;
	guint n;
} HvrWordsTable;

/* Of the kernel's log. */
extern const HvrWordsTable hvr_words_kernel;

/* The first row that @text has; NULL: none. (transfer none) */
const HvrDiagnosis *hvr_words_find(const HvrWordsTable *table, const char *text);
