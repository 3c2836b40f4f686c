/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command as data. Its file has one HvrCommand, and table.c a line that names it: the parser, the
 * help, the completion and the manual's test read nothing else.
 */
#pragma once

#include <stddef.h>

#include <glib.h>

#include "launcher/runtime/context.h"

#define HVR_DAY_S	 86400
#define HVR_WAIT_MAX_S	 (7 * HVR_DAY_S)
#define HVR_WAIT_FOREVER (-1) /* as of hvr_claim_take() */

/* What an option takes, and so of which type its field is. */
typedef enum {
	HVR_OPTION_FLAG,    /* nothing; gboolean: it was given */
	HVR_OPTION_TEXT,    /* char *: the last that was given; else NULL */
	HVR_OPTION_TEXTS,   /* char **: all that were given, NULL-terminated; else NULL */
	HVR_OPTION_SECONDS, /* int */
	HVR_OPTION_HELP,    /* nothing, and it has no field */
} HvrOptionKind;

/* Where the value of an option goes. The macros below make these. */
typedef struct {
	HvrOptionKind kind;
	gsize offset;	   /* in the command's struct of options */
	int least, most;   /* of seconds */
	gboolean optional; /* the value may be missing; if there is one it is in the same word */
	int missing;	   /* optional: what is stored then */
} HvrOptionField;

typedef struct {
	const char *name; /* "timeout" */
	char letter;	  /* 't'; 0: none */
	HvrOptionField field;
	const char *value; /* "S", as the help calls it and the completion knows it; NULL: none */
	const char *help;
} HvrOption;

/* None compiles unless the field is of the type that its kind has. */
/* clang-format off */
#define HVR_FLAG(Struct, member) \
	{ \
		.kind = HVR_OPTION_FLAG, \
		.offset = _Generic(((Struct *)NULL)->member, gboolean: offsetof(Struct, member)) \
	}
#define HVR_TEXT(Struct, member) \
	{ \
		.kind = HVR_OPTION_TEXT, \
		.offset = _Generic(((Struct *)NULL)->member, char *: offsetof(Struct, member)) \
	}
#define HVR_TEXTS(Struct, member) \
	{ \
		.kind = HVR_OPTION_TEXTS, \
		.offset = _Generic(((Struct *)NULL)->member, char **: offsetof(Struct, member)) \
	}
#define HVR_SECONDS(Struct, member, from, to) \
	{ \
		.kind = HVR_OPTION_SECONDS, \
		.offset = _Generic(((Struct *)NULL)->member, int: offsetof(Struct, member)), \
		.least = (from), .most = (to) \
	}
#define HVR_SECONDS_OR(Struct, member, from, to, without) \
	{ \
		.kind = HVR_OPTION_SECONDS, \
		.offset = _Generic(((Struct *)NULL)->member, int: offsetof(Struct, member)), \
		.least = (from), .most = (to), .optional = TRUE, .missing = (without) \
	}
/* clang-format on */

/* Options that several commands have. */
/* @member: HvrProfileChanges */
/* clang-format off */
/* NOLINTBEGIN(bugprone-macro-parentheses): a member's name takes none */
#define HVR_OPTIONS_CHANGES(Struct, member) \
	{ "set", 's', HVR_TEXTS(Struct, member.sets), "SECTION.KEY=VALUE", \
	  "Override one key of the profile, or empty it; may be repeated" }, \
	{ "without", 0, HVR_TEXTS(Struct, member.without), "SECTION", \
	  "Leave out a section, such as device.npu; may be repeated" }
/* NOLINTEND(bugprone-macro-parentheses) */
/* clang-format on */
#define HVR_OPTION_NAME(Struct, member)                                                            \
	{                                                                                          \
		"name", 0, HVR_TEXT(Struct, member), "NAME",                                       \
			"The VM's name, or auto: one that is free"                                 \
	}
#define HVR_OPTION_EVENTS(Struct, member)                                                          \
	{                                                                                          \
		"events", 0, HVR_TEXT(Struct, member), "FD|FILE",                                  \
			"Write each step as a line of JSON to a descriptor or a file"              \
	}
#define HVR_OPTION_WAIT(Struct, member)                                                            \
	{                                                                                          \
		"wait", 'w', HVR_SECONDS_OR(Struct, member, 1, HVR_WAIT_MAX_S, HVR_WAIT_FOREVER),  \
			"S", "Wait for a busy device, for S seconds or for ever"                   \
	}
#define HVR_OPTION_JSON(Struct, member)                                                            \
	{                                                                                          \
		"json", 'j', HVR_FLAG(Struct, member), NULL, "One JSON object"                     \
	}

/* What the user has asked of a command: its function gets it parsed and checked. */
typedef struct {
	gpointer options; /* the command's struct, see HvrCommand */
	char **words;	  /* from `least` to `most`; NULL behind the last */
	char **tail;	  /* of a command with a tail: that, perhaps empty; NULL behind the last */
	gboolean help;	  /* only the help is wanted: then nothing else here is checked */
} HvrInvocation;

typedef struct {
	const char *name;
	const char *words; /* for the help and the completion, such as "VM DEVICE" */
	const char *summary;
	guint least, most; /* how many words it takes */
	/* Behind @most words comes the command line of another program, with a "--" in front if it
	 * begins with an option: what looks like one in there is not ours. */
	gboolean tail;
	/* The status of whatever goes wrong, where its others are an answer or the guest's
	 * command's: HVR_EXIT_CANNOT_TELL, HVR_EXIT_NOT_JUDGED; 0: by the error. */
	int ours;
	const HvrOption *options; /* (nullable): behind the last stands one without a name */
	gsize size;		  /* of the struct that they are stored in */
	gconstpointer defaults;	  /* (nullable): such a struct without texts; NULL: all 0 */
	void (*describe)(void);	  /* (nullable): prints what the help has behind the options */
	/* Returns the exit status; or -1 with an error, of which hvr_exit_status() knows it. */
	int (*run)(HvrContext *context, const HvrInvocation *invocation, GError **error);
} HvrCommand;

/* The option at place @i; behind @command's own stands "--help", and then comes NULL. */
const HvrOption *hvr_command_option(const HvrCommand *command, guint i);

/* Its option of this long name, of which @length bytes count; or NULL. */
const HvrOption *hvr_command_option_named(const HvrCommand *command, const char *name,
					  gsize length);

/* Its option of this letter, or NULL. */
const HvrOption *hvr_command_option_lettered(const HvrCommand *command, char letter);

/* Is the word behind it its value, if none is in the same word? */
gboolean hvr_option_takes_word(const HvrOption *option);

/* Sets HVR_LAUNCH_ERROR_USAGE: "COMMAND: " and the text, with the hint to try --help. */
void hvr_command_usage(GError **error, const char *command, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
