/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FAKE_DMA_H
#define FAKE_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Takes the place of sim_dma.c and sim_iommu.c below the NIC model: an IOVA is the address of the
 * memory itself, and one range of it can be refused. Not for several threads at once, but for
 * translations that are allowed.
 */

/** Refuses accesses with these rights (enum shunt_dma_prot) to a range. */
void fake_dma_refuse(const void *from, size_t length, unsigned int prot);
/** Refuses nothing from here on; starts counting anew. */
void fake_dma_allow(void);
/** Translations refused so far: fault records. */
unsigned int fake_dma_faults(void);
/** Translations asked for so far. */
unsigned int fake_dma_translations(void);
/** Lets translations enter the IOTLB, as a real one does; nothing can be refused any more. */
void fake_dma_use_iotlb(void);

#endif
