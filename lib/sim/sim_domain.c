/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim_iommu.h"

#define ENTRY_BITS      9
#define ENTRIES         (1u << ENTRY_BITS)
#define TOP_LEVEL       3
#define LARGEST_LEAF    2
#define ENTRY_PROT      0x3ull /* enum shunt_dma_prot */
#define ENTRY_LEAF      0x4ull
#define ENTRY_TABLE     0x8ull
#define ENTRY_DIRTY     0x10ull
#define ENTRY_ADDRESS   (~0x1full)
#define TABLE_ALIGNMENT 64

/* One level of the table. `next` chains tables that were taken out until they can be freed. */
struct table {
	_Atomic uint64_t entries[ENTRIES];
	struct table *next;
};

struct sim_domain {
	struct sim_iommu *iommu;
	struct table *root;
	unsigned int contexts;
	_Atomic(enum sim_dirty) dirty;
};

static unsigned int level_shift(unsigned int level)
{
	return SIM_PAGE_SHIFT + level * ENTRY_BITS;
}

static unsigned int entry_index(uint64_t iova, unsigned int level)
{
	return (iova >> level_shift(level)) & (ENTRIES - 1);
}

static void *entry_pointer(uint64_t entry)
{
	return (void *)(uintptr_t)(entry & ENTRY_ADDRESS);
}

static struct table *table_create(void)
{
	size_t size = (sizeof(struct table) + TABLE_ALIGNMENT - 1) & ~(size_t)(TABLE_ALIGNMENT - 1);
	struct table *table = aligned_alloc(TABLE_ALIGNMENT, size);

	if (table)
		memset(table, 0, size);
	return table;
}

/* Frees a table and all below it. */
static void table_destroy(struct table *table)
{
	for (unsigned int i = 0; i < ENTRIES; i++) {
		uint64_t entry = atomic_load_explicit(&table->entries[i], memory_order_relaxed);

		if (entry & ENTRY_TABLE)
			table_destroy(entry_pointer(entry));
	}
	free(table);
}

int sim_domain_create(struct sim_iommu *iommu, enum sim_dirty dirty, struct sim_domain **domain)
{
	struct sim_domain *created = calloc(1, sizeof(*created));

	if (!created)
		return -ENOMEM;
	created->iommu = iommu;
	atomic_init(&created->dirty, dirty);
	created->root = table_create();
	if (!created->root) {
		free(created);
		return -ENOMEM;
	}
	*domain = created;
	return 0;
}

void sim_domain_destroy(struct sim_domain *domain)
{
	table_destroy(domain->root);
	free(domain);
}

void sim_domain_count(struct sim_domain *domain, int by)
{
	domain->contexts += (unsigned int)by;
}

static bool fits(uint64_t iova, const uint8_t *memory, uint64_t length, unsigned int level)
{
	uint64_t size = 1ull << level_shift(level);

	return level <= LARGEST_LEAF && length >= size &&
	       ((iova | (uintptr_t)memory) & (size - 1)) == 0;
}

/* Stores the 4 KiB leaves that fall into one table of the lowest level. */
static uint64_t fill_pages(
	struct table *table, uint64_t iova, uint8_t *memory, uint64_t length, uint64_t bits)
{
	uint64_t done = 0;

	for (unsigned int i = entry_index(iova, 0); i < ENTRIES && done < length; i++) {
		atomic_store_explicit(&table->entries[i], (uintptr_t)(memory + done) | bits,
			memory_order_release);
		done += SIM_PAGE_SIZE;
	}
	return done;
}

/* Stores leaves at the start of the range. @return bytes mapped, 0: out of memory */
static uint64_t map_some(struct sim_domain *domain, uint64_t iova, uint8_t *memory, uint64_t length,
	uint64_t bits, bool large)
{
	struct table *table = domain->root;

	for (unsigned int level = TOP_LEVEL; level > 0; level--) {
		_Atomic uint64_t *slot = &table->entries[entry_index(iova, level)];
		uint64_t entry = atomic_load_explicit(slot, memory_order_relaxed);

		if (!entry && large && fits(iova, memory, length, level)) {
			atomic_store_explicit(slot, (uintptr_t)memory | bits, memory_order_release);
			return 1ull << level_shift(level);
		}
		if (!entry) {
			struct table *below = table_create();

			if (!below)
				return 0;
			entry = (uintptr_t)below | ENTRY_TABLE;
			atomic_store_explicit(slot, entry, memory_order_release);
		}
		table = entry_pointer(entry);
	}
	return fill_pages(table, iova, memory, length, bits);
}

int sim_domain_map(struct sim_domain *domain, uint64_t iova, uint8_t *memory, uint64_t length,
	unsigned int prot, bool large)
{
	uint64_t bits = (prot & ENTRY_PROT) | ENTRY_LEAF;
	uint64_t done = 0;

	while (done < length) {
		uint64_t size =
			map_some(domain, iova + done, memory + done, length - done, bits, large);

		if (!size) {
			if (done)
				sim_domain_unmap(domain, iova, done);
			return -ENOMEM;
		}
		done += size;
	}
	return 0;
}

/* Clears the entries from first to last below a table; whole tables go to the chain `out`. */
static void clear(
	struct table *table, unsigned int level, uint64_t first, uint64_t last, struct table **out)
{
	uint64_t size = 1ull << level_shift(level);
	uint64_t start = first & ~(size - 1);

	for (;; start += size) {
		_Atomic uint64_t *slot = &table->entries[entry_index(start, level)];
		uint64_t entry = atomic_load_explicit(slot, memory_order_relaxed);
		uint64_t end = start + size - 1;

		if ((entry & ENTRY_TABLE) && (start < first || end > last)) {
			clear(entry_pointer(entry), level - 1, start < first ? first : start,
				end > last ? last : end, out);
		} else if (entry) {
			atomic_store_explicit(slot, 0, memory_order_release);
			if (entry & ENTRY_TABLE) {
				struct table *whole = entry_pointer(entry);

				whole->next = *out;
				*out = whole;
			}
		}
		if (end >= last)
			break;
	}
}

void sim_domain_unmap(struct sim_domain *domain, uint64_t iova, uint64_t length)
{
	uint64_t last = iova + length - 1;
	struct table *out = NULL;

	clear(domain->root, TOP_LEVEL, iova, last, &out);
	if (domain->contexts)
		sim_iommu_invalidate_range(domain->iommu, domain, iova, last);
	while (out) {
		struct table *table = out;

		out = table->next;
		table_destroy(table);
	}
}

enum sim_dirty sim_domain_dirty(const struct sim_domain *domain)
{
	return atomic_load_explicit(&domain->dirty, memory_order_relaxed);
}

/* The slot of the leaf that has an IOVA, and what is in it. @return NULL: not mapped */
static _Atomic uint64_t *find_leaf(
	struct sim_domain *domain, uint64_t iova, unsigned int *level, uint64_t *entry)
{
	struct table *table = domain->root;

	for (*level = TOP_LEVEL;; --*level) {
		_Atomic uint64_t *slot = &table->entries[entry_index(iova, *level)];

		*entry = atomic_load_explicit(slot, memory_order_acquire);
		if (!*entry)
			return NULL;
		if (*entry & ENTRY_LEAF)
			return slot;
		table = entry_pointer(*entry);
	}
}

bool sim_domain_walk(
	struct sim_domain *domain, uint64_t iova, unsigned int prot, struct sim_leaf *leaf)
{
	const bool notes = sim_domain_dirty(domain) == SIM_DIRTY_ON;
	_Atomic uint64_t *slot;
	unsigned int level;
	uint64_t entry;
	bool write;

	if (iova > SIM_DOMAIN_LAST)
		return false;
	do { /* until an ioctl does not take the leaf away in between */
		slot = find_leaf(domain, iova, &level, &entry);
		if (!slot)
			return false;
		write = notes && (prot & entry & SHUNT_DMA_WRITE) && !(entry & ENTRY_DIRTY);
	} while (write && !atomic_compare_exchange_strong(slot, &entry, entry | ENTRY_DIRTY));
	leaf->memory = entry_pointer(entry);
	leaf->shift = level_shift(level);
	leaf->prot = entry & ENTRY_PROT;
	leaf->noted = !notes || write || (entry & ENTRY_DIRTY);
	return true;
}

void sim_domain_read_dirty(struct sim_domain *domain, uint64_t first, uint64_t last, bool clear,
	void (*found)(void *context, uint64_t first, uint64_t last), void *context)
{
	uint64_t iova = first, size, entry;
	_Atomic uint64_t *slot;
	unsigned int level;

	for (; iova >= first && iova <= last && iova <= SIM_DOMAIN_LAST;
		iova = (iova & ~(size - 1)) + size) {
		slot = find_leaf(domain, iova, &level, &entry);
		size = 1ull << level_shift(level);
		if (!slot || !(entry & ENTRY_DIRTY))
			continue;
		if (found)
			found(context, iova & ~(size - 1), iova | (size - 1));
		if (clear)
			atomic_fetch_and(slot, ~ENTRY_DIRTY);
	}
	if (clear && domain->contexts)
		sim_iommu_invalidate_range(domain->iommu, domain, first, last);
}

void sim_domain_set_dirty(struct sim_domain *domain, enum sim_dirty dirty)
{
	atomic_store_explicit(&domain->dirty, dirty, memory_order_relaxed);
	sim_domain_read_dirty(domain, 0, SIM_DOMAIN_LAST, true, NULL, NULL);
}
