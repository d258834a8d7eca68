/* SPDX-License-Identifier: MIT */
/*
 * run.c - the same run in steps of 8, 16 or 32 bytes.  A step stores what it
 * loaded and then looks at it, so that a short string is done in one.
 */
#include "cache/run.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "base/err.h"

static bool
is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

static const char *
copy_by_8(char *to, const char *p, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;

	for (; end - p >= 8; p += 8, to += 8) {
		uint64_t word, odd;

		memcpy(&word, p, sizeof(word));
		odd = word | (word - ones * 0x20);
		odd |= (word ^ ones * '"') - ones;
		odd |= (word ^ ones * '\\') - ones;
		if ((odd & tops) != 0)
			break;
		memcpy(to, &word, sizeof(word));
	}
	while (p < end && is_plain(*p))
		*to++ = *p++;
	return p;
}

#ifdef __x86_64__
/*
 * A bit for each byte that is not plain.  With '"' and ' ' exchanged, and compared
 * as signed, all above ' ' are plain but '\'.
 */
static inline unsigned int
odd_of_16(__m128i v)
{
	__m128i swapped = _mm_xor_si128(v, _mm_set1_epi8('"' ^ ' '));
	__m128i plain = _mm_cmpgt_epi8(swapped, _mm_set1_epi8(' '));

	plain = _mm_andnot_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')), plain);
	return (unsigned int)_mm_movemask_epi8(plain) ^ 0xffff;
}

static const char *
copy_by_16(char *to, const char *p, const char *end)
{
	for (; end - p >= 16; p += 16, to += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		unsigned int odd = odd_of_16(v);

		_mm_storeu_si128((__m128i *)to, v);
		if (odd != 0)
			return p + __builtin_ctz(odd);
	}
	return copy_by_8(to, p, end);
}

__attribute__((target("avx2")))
static inline unsigned int
odd_of_32(__m256i v)
{
	__m256i swapped = _mm256_xor_si256(v, _mm256_set1_epi8('"' ^ ' '));
	__m256i plain = _mm256_cmpgt_epi8(swapped, _mm256_set1_epi8(' '));

	plain = _mm256_andnot_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')), plain);
	return ~(unsigned int)_mm256_movemask_epi8(plain);
}

/* The first step is of 16: most strings are short, and it costs less to set up. */
__attribute__((target("avx2")))
static const char *
copy_by_32(char *to, const char *p, const char *end)
{
	unsigned int odd;

	if (end - p < 32)
		return copy_by_16(to, p, end);
	odd = odd_of_16(_mm_loadu_si128((const __m128i *)p));
	memcpy(to, p, 16);
	if (odd != 0)
		return p + __builtin_ctz(odd);
	for (p += 16, to += 16; end - p >= 32; p += 32, to += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)p);

		odd = odd_of_32(v);
		_mm256_storeu_si256((__m256i *)to, v);
		if (odd != 0)
			return p + __builtin_ctz(odd);
	}
	return copy_by_16(to, p, end);
}
#endif

run_copy_fn *
run_way(size_t n)
{
	static run_copy_fn *const ways[] = {
#ifdef __x86_64__
		copy_by_32, copy_by_16,
#endif
		copy_by_8,
	};

#ifdef __x86_64__
	if (!__builtin_cpu_supports("avx2"))
		n++;
#endif
	return n < ARRAY_LEN(ways) ? ways[n] : NULL;
}
