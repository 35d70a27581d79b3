/* SPDX-License-Identifier: BSD-3-Clause */
/* A program of which the dynamic linker sees nothing. */

int main(void)
{
	return 0;
}
