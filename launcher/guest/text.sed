# SPDX-License-Identifier: GPL-2.0-or-later
#
# A script as C has texts, without what is for people.
/^[[:space:]]*#/d
/^$/d
s/[\\"]/\\&/g
s/.*/"&\\n"/
