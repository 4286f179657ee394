"""
Computes golden.json: reference values of losses and decompositions in float64, in NumPy alone, written from the papers'
equations and not from the TypeScript. Inputs come from a congruential generator, so that any language can rebuild them.

    python3 tests/golden/golden.py           compares with golden.json beside it, changes nothing
    python3 tests/golden/golden.py --write   writes golden.json anew
"""
import itertools, json, pathlib, sys
import numpy as np
from numpy.linalg import norm
def V_(shape,seed):
    # LCG: s <- (1664525*s + 1013904223) mod 2^32 ; value = 2*s/2^32 - 1
    s=seed; o=[]
    for _ in range(int(np.prod(shape))):
        s=(1664525*s+1013904223)%(1<<32); o.append(2*s/2**32-1)
    return np.array(o).reshape(shape)
sm=lambda z:np.exp(z-z.max(-1,keepdims=True))/np.exp(z-z.max(-1,keepdims=True)).sum(-1,keepdims=True)
lsm=lambda z:z-z.max(-1,keepdims=True)-np.log(np.exp(z-z.max(-1,keepdims=True)).sum(-1,keepdims=True))
def kl(pt,lps): return (pt*(np.log(np.maximum(pt,1e-300))-lps)).sum(-1)
B,C=4,3
zt=2*V_((B,C),1); zs=2*V_((B,C),2); y=np.array([0,1,2,1])
def kd(zs,zt,T): return T*T*kl(sm(zt/T),lsm(zs/T)).mean()
def dkd_parts(zs,zt,y,T):
    ps,pt=sm(zs/T),sm(zt/T); b=np.arange(len(y))
    bs=np.stack([ps[b,y],1-ps[b,y]],1); bt=np.stack([pt[b,y],1-pt[b,y]],1)
    t=T*T*kl(bt,np.log(bs)).mean()
    m=np.ones_like(zs,bool); m[b,y]=False
    zs2=zs[m].reshape(len(y),-1); zt2=zt[m].reshape(len(y),-1)
    nn=kl(sm(zt2/T),lsm(zs2/T)); return t,T*T*nn.mean(),T*T*((1-pt[b,y])*nn).mean()
def dist(zs,zt,tau):
    ps,pt=sm(zs/tau),sm(zt/tau)
    def pe(a,b): a=a-a.mean(1,keepdims=True); b=b-b.mean(1,keepdims=True); return (a*b).sum(1)/np.maximum(norm(a,axis=1)*norm(b,axis=1),1e-8)
    return tau**2*(1-pe(ps,pt).mean()), tau**2*(1-pe(ps.T,pt.T).mean())
def std(z): return (z-z.mean(-1,keepdims=True))/(1e-7+z.std(-1,ddof=1,keepdims=True))
sl1=lambda d: np.where(np.abs(d)<1,0.5*d*d,np.abs(d)-0.5)
fs=V_((B,5),3); ft=V_((B,6),4)
def rkd(fs,ft):
    def pd(e): 
        d=np.sqrt(np.maximum((e**2).sum(1)[:,None]+(e**2).sum(1)[None]-2*e@e.T,1e-12)); np.fill_diagonal(d,0); return d
    ds,dt=pd(fs),pd(ft); ds=ds/ds[ds>0].mean(); dt=dt/dt[dt>0].mean()
    def an(e):
        t=e[None]-e[:,None]; t=t/np.maximum(norm(t,axis=2,keepdims=True),1e-12); return np.einsum('ijd,ikd->ijk',t,t)
    return sl1(ds-dt).mean(), sl1(an(fs)-an(ft)).mean()
def sp(fs,ft):
    g=lambda f:(lambda G:G/np.maximum(norm(G,axis=1,keepdims=True),1e-12))(f@f.T); return ((g(ft)-g(fs))**2).sum()/len(fs)**2
gs=V_((2,3,2,2),5); gt=V_((2,4,2,2),6)
def at(gs,gt,p=2):
    f=lambda g:(lambda a:a/np.maximum(norm(a,axis=1,keepdims=True),1e-12))((g**p).mean(1).reshape(len(g),-1)); return ((f(gs)-f(gt))**2).mean()
def pkd(hs,ht): n=lambda h:h/norm(h,axis=1,keepdims=True); return ((n(hs)-n(ht))**2).sum(1).mean()
# KDA: landmarks = class means of a previous pass
Xs=V_((6,5),7); Xt=V_((6,7),8); Y=np.array([0,1,2,0,1,2])
Ds=np.stack([Xs[Y==c].mean(0) for c in range(3)]); Dt=np.stack([Xt[Y==c].mean(0) for c in range(3)])
Cs,Ct=Xs@Ds.T,Xt@Dt.T
kda=sl1(Cs-Ct).sum()/norm(Ct)
nys=lambda X,D:(X@D.T)@np.linalg.pinv(D@D.T)@(X@D.T).T
# LELP split
D,S=6,2
W=V_((2,D),9); bias=np.array([0.1,-0.2]); H=V_((8,D),10); HY=np.array([0,0,0,0,1,1,1,1])
P=np.eye(D)-np.linalg.pinv(W)@W
V=[];mu=[]
for c in range(2):
    Z=H[HY==c]@P; m=Z.mean(0); u,s,v=np.linalg.svd(Z-m,full_matrices=False); v=v[:S]
    v=np.array([r*np.sign(r[np.argmax(np.abs(r))]) for r in v]); V.append(v); mu.append(H[HY==c].mean(0))
th=0.5; Q=np.array([[np.cos(th),-np.sin(th)],[np.sin(th),np.cos(th)]])
Vt=[Q@v for v in V]; tau,beta=2.0,0.5
logits=H@W.T+bias; pc=sm(logits/tau)
sub=np.concatenate([pc[:,[c]]*sm(((H-mu[c])@Vt[c].T)/beta) for c in range(2)],1)
zst=V_((8,4),11)
lelp=tau**2*kl(sub,lsm(zst/tau)).mean()
# linear-chain CRF
T,L=4,3
em=V_((T,L),12); tr=V_((L,L),13); em2=V_((T,L),14); tr2=V_((L,L),15)
def score(p,em,tr): return sum(em[t,p[t]] for t in range(T))+sum(tr[p[t-1],p[t]] for t in range(1,T))
paths=list(itertools.product(range(L),repeat=T)); sc=np.array([score(p,em,tr) for p in paths]); logZ=np.log(np.exp(sc-sc.max()).sum())+sc.max()
best=paths[int(sc.argmax())]; gold=(0,1,2,1)
marg=np.zeros((T,L)); w=np.exp(sc-logZ)
for p,ww in zip(paths,w):
    for t in range(T): marg[t,p[t]]+=ww
S1=np.stack([tr+em[t][None,:] for t in range(1,T)]); S2=np.stack([tr2+em2[t][None,:] for t in range(1,T)])
# MPO toy
I=J=[4,1,1,3]; Wm=V_((12,12),16)+0.3*np.eye(12)
X=Wm.reshape(4,1,1,3,4,1,1,3).transpose(0,4,1,5,2,6,3,7).reshape(16,9); sv=np.linalg.svd(X,compute_uv=False)
t,n_,nw=dkd_parts(zs,zt,y,4.0)
i1,i2=dist(zs,zt,1.0); rd,ra=rkd(fs,ft)
out=dict(
 inputs="gen(shape,seed): s=seed; each value: s=(1664525*s+1013904223) mod 2^32, v=2*s/2^32-1, row-major. zt=2*gen((4,3),1) zs=2*gen((4,3),2) y=[0,1,2,1]; fs=gen((4,5),3) ft=gen((4,6),4); gs=gen((2,3,2,2),5) gt=gen((2,4,2,2),6); Xs=gen((6,5),7) Xt=gen((6,7),8) Y=[0,1,2,0,1,2]; LELP: W=gen((2,6),9) bias=[.1,-.2] H=gen((8,6),10) classes=[0]*4+[1]*4 student logits=gen((8,4),11), S=2 tau=2 beta=.5, PCA sign: largest-|entry| positive, Q=rotation by 0.5 rad; CRF (T=4,L=3): em=gen((4,3),12) tr=gen((3,3),13) em2=gen((4,3),14) tr2=gen((3,3),15), gold=[0,1,2,1], no start/stop states; MPO: Wm=gen((12,12),16)+.3*I with I=J=[4,1,1,3]; pkd uses Xs and gen((6,5),17)",
 ce=float(-lsm(zs)[np.arange(4),y].mean()), kd_T4=float(kd(zs,zt,4)), kd_T1=float(kd(zs,zt,1)), mse_logits=float(((zs-zt)**2).mean()),
 dkd_tckd_T4=float(t), dkd_nckd_T4=float(n_), dkd_a1_b8=float(t+8*n_), dkd_identity_tckd_plus_weighted_nckd=float(t+nw),
 dist_inter=float(i1), dist_intra=float(i2), dist_total_b2_g2=float(2*i1+2*i2), lskd_kl_T2_noT2=float(kl(sm(std(zt)/2),lsm(std(zs)/2)).mean()),
 rkd_distance=float(rd), rkd_angle=float(ra), rkd_25_50=float(25*rd+50*ra), sp=float(sp(fs,ft)), at_p2=float(at(gs,gt)), pkd=float(pkd(Xs,V_((6,5),17))),
 kda_loss=float(kda), kda_partial_shapes=[list(Cs.shape),list(Ct.shape)], nystrom_rel_err_student=float(norm(nys(Xs,Ds)-Xs@Xs.T)/norm(Xs@Xs.T)), nystrom_exact_when_landmarks_span=float(norm(nys(Xs,Xs)-Xs@Xs.T)/norm(Xs@Xs.T)),
 lelp_loss=float(lelp), lelp_group_sum_err=float(np.abs(sub.reshape(8,2,2).sum(2)-pc).max()), lelp_sub_row0=[float(x) for x in sub[0]],
 crf_logZ=float(logZ), crf_gold_score=float(score(gold,em,tr)), crf_nll=float(logZ-score(gold,em,tr)), crf_viterbi=list(best), crf_marg_row0=[float(x) for x in marg[0]],
 substruct_mse_emissions=float(((em-em2)**2).mean()), substruct_mse_edges_t1_to_T=float(((S1-S2)**2).mean()),
 mpo_bonds=[1,9,9,9,1], mpo_params=16*9+81+81+81, mpo_singular_values=[float(x) for x in sv])

# over-parameterised update: one SGD step on every factor of W~ = A M1..Mk B (M=I, balanced) vs closed form
U,Sg,Vt_=np.linalg.svd(X,full_matrices=False); Af=U*np.sqrt(Sg); Bf=np.sqrt(Sg)[:,None]*Vt_; G=V_(X.shape,18); k=2; r=len(Sg)
eta=1e-6; Ms=[np.eye(r) for _ in range(k)]
A1=Af-eta*G@Bf.T; B1=Bf-eta*Af.T@G; M1=[np.eye(r)-eta*Af.T@G@Bf.T for _ in range(k)]
Wn=A1
for m in M1: Wn=Wn@m
Wn=Wn@B1
dW=(Wn-X)/(-eta); closed=G@Bf.T@Bf+Af@Af.T@G+k*Af@Af.T@G@Bf.T@Bf
out['opdf_first_order_update_rel_err']=float(norm(dW-closed)/norm(closed))
out['opdf_update_norm_over_plain_sgd']={str(kk):float(norm(G@Bf.T@Bf+Af@Af.T@G+kk*Af@Af.T@G@Bf.T@Bf)/norm(G)) for kk in range(0,6)}
def aux(W1,W2,n):
    def f(W):
        Xw=W.reshape(4,3,4,3).transpose(0,2,1,3).reshape(16,9); u,s_,v=np.linalg.svd(Xw,full_matrices=False)
        sg=np.sign(u[np.abs(u).argmax(0),np.arange(u.shape[1])]); u=u*sg; v=v*sg[:,None]
        return [u*np.sqrt(s_)]+[np.eye(9)]*(n-2)+[np.sqrt(s_)[:,None]*v]
    a,b=f(W1),f(W2); c=(n-1)//2
    per=[((x-y_)**2).mean() for x,y_ in zip(a,b)]
    return per,float(np.mean([p for i_,p in enumerate(per) if i_!=c]))
per,la=aux(Wm,V_((12,12),19)+.3*np.eye(12),5)
out['opdf_aux_per_core_n5']=[float(p) for p in per]; out['opdf_laux_n5_mean_over_4_aux']=la
out['opdf_laux_self']=aux(Wm,Wm,5)[1]

FILE=pathlib.Path(__file__).with_name('golden.json')
def difference(a,b,path='',relative=1e-12,absolute=1e-11):
    """The first place where two results differ, or None. The absolute part is for what is 0 but for rounding."""
    if isinstance(a,dict) and isinstance(b,dict) and a.keys()==b.keys():
        return next((d for d in (difference(a[k],b[k],f'{path}.{k}') for k in a) if d),None)
    if isinstance(a,(list,tuple)) and isinstance(b,(list,tuple)) and len(a)==len(b):
        return next((d for d in (difference(x,y_,f'{path}[{i}]') for i,(x,y_) in enumerate(zip(a,b))) if d),None)
    number=isinstance(a,(int,float)) and isinstance(b,(int,float))
    return None if (abs(a-b)<=relative*abs(b)+absolute if number else a==b) else f'{path[1:]}: computed {a}, in the file {b}'
if '--write' in sys.argv:
    FILE.write_text(json.dumps(out,indent=2)+'\n')
else:
    found=difference(json.loads(json.dumps(out)),json.loads(FILE.read_text()))
    print(found or f'golden.json agrees ({len(out)-1} entries, NumPy {np.__version__})')
    sys.exit(1 if found else 0)
