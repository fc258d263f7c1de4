// Where Xen enters: the ELF notes it reads, the first instructions, exceptions and upcalls.
// Sources: xen/elfnote.h, xen/arch-x86/xen-x86_64.h.

.macro note type, directive, value:vararg
    .pushsection .note.Xen, "a", @note
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:  \directive \value
2:  .balign 4
    .popsection
.endm

note {XEN_VERSION}, .asciz, "xen-3.0"
note {GUEST_OS}, .asciz, "xendless"
note {LOADER}, .asciz, "generic"
note {VIRT_BASE}, .quad, VIRT_BASE
note {PADDR_OFFSET}, .quad, 0
note {ENTRY}, .quad, xendless_entry
note {HYPERCALL_PAGE}, .quad, hypercall_page
note {PAE_MODE}, .asciz, "yes"
// The boot bundle may be larger than what Xen would map: it stays unmapped, and we map it ourselves.
note {MOD_START_PFN}, .quad, 1
// Can be the initial domain.
note {SUPPORTED_FEATURES}, .long, 1 << {FEATURE_DOM0}

// Xen fills this page, one entry per hypercall number.
    .pushsection .text.hypercall_page, "ax", @progbits
    .balign 4096
    .globl hypercall_page
hypercall_page:
    .skip 4096, 0xcc
    .popsection

// rsi = start_info. Upcalls are masked and stay so, except inside the hypercall that blocks.
    .pushsection .text.entry, "ax", @progbits
    .globl xendless_entry
xendless_entry:
    cld
    lea rsp, [rip + stack_top]
    xor ebp, ebp
    mov rdi, rsi
    call {start}
    ud2

// An event arrived. Xen delivers it only at the return from the blocking hypercall, because that call alone
// clears the upcall mask, and sets the mask again as it pushes
//     rcx, r11, rip, cs, rflags, rsp, ss
// on the stack that blocked. So work goes on there, with the mask left set: the hypercall page restores rcx and
// r11 by itself, and whoever blocked then looks at the pending bits. No iret hypercall, no interrupted Rust.
    .globl event_upcall
event_upcall:
    mov rcx, [rsp + 16]
    mov rsp, [rsp + 40]
    jmp rcx

// An exception: Xen pushed the same frame, for some vectors with an error code before rip. rcx and r11 hold
// nothing of the interrupted code any more. Nothing ever returns from here.
.macro exception vector, has_error
    .balign 16
    .if \has_error == 0
    pop rcx
    pop r11
    push 0
    push r11
    push rcx
    .endif
    push \vector
    jmp exception_common
.endm

    .balign 16
    .globl exception_entries
exception_entries:
    .irp vector, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    exception \vector, (({WITH_ERROR_CODE} >> \vector) & 1)
    .endr

exception_common:
    push rax
    push rbx
    push rdx
    push rsi
    push rdi
    push rbp
    push r8
    push r9
    push r10
    push r12
    push r13
    push r14
    push r15
    mov rdi, rsp
    and rsp, -16
    cld
    call {exception}
    ud2
    .popsection
